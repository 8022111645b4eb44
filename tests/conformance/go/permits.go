package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

const (
	resultType     = "https://in-toto.io/attestation/svr/v0.1"
	clockTolerance = 5 * time.Minute
	microseconds   = "2006-01-02T15:04:05.000000Z"
)

var (
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
	decimal   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

type subject struct {
	Name   string
	Digest map[string]string
}

// A permitStatement is what the envelope of a permit holds.
type permitStatement struct {
	Type          string `json:"_type"`
	Subject       []subject
	PredicateType string
	Predicate     struct {
		Verifier struct {
			ID     string
			Policy struct{ Digest map[string]string }
		}
		TimeCreated string
		Properties  []string
		Permit      json.RawMessage `json:"guiderail_permit"`
	}
}

// permitFields has every field of a permit: one that is missing or unknown refuses it.
type permitFields struct {
	ID           *string   `json:"id"`
	Case         *string   `json:"case"`
	Kind         *string   `json:"kind"`
	Environment  *string   `json:"environment"`
	HighestShare *string   `json:"highest_share"`
	Conditions   *[]string `json:"conditions"`
	StartUntil   *string   `json:"start_until"`
	Dossier      *string   `json:"dossier"`
}

// A ledgerEntry is one event, as far as a permit or an audit pack needs it.
type ledgerEntry struct {
	Seq     int64
	Type    string
	Subject struct {
		Kind   string
		Name   string
		Digest *string
	}
	SubjectNo int64 `json:"subject_no"`
	Evidence  []struct{ SHA256 string }
}

func verifyPermit(c storedCase) error {
	var question struct {
		Environment string
		Digest      string
		Now         string
		Restoring   bool
		Revoked     []string
	}
	c.ask(&question)
	keys, err := readKeys(c.read("public.json"))
	if err != nil {
		return err
	}
	data := c.read("permit.dsse.json")
	payload, err := openEnvelope(data, keys.Permit, inToto)
	if err != nil {
		return err
	}
	statement, fields, err := readPermit(payload)
	if err != nil {
		return err
	}
	if err := checkEntry(c, data, statement, fields, keys); err != nil {
		return err
	}
	for _, id := range question.Revoked {
		if id == *fields.ID {
			return fmt.Errorf("%w: taken back", errRefused)
		}
	}
	if "sha256:"+statement.Subject[0].Digest["sha256"] != question.Digest {
		return fmt.Errorf("%w: another digest", errRefused)
	}
	if *fields.Environment != question.Environment {
		return fmt.Errorf("%w: another environment", errRefused)
	}
	return checkTimes(statement.Predicate.TimeCreated, *fields.StartUntil, question.Now, question.Restoring)
}

func checkTimes(created, until, now string, restoring bool) error {
	var moments [3]time.Time
	for place, text := range []string{created, until, now} {
		moment, err := time.Parse(microseconds, text)
		if err != nil {
			return err
		}
		moments[place] = moment
	}
	if moments[2].Add(clockTolerance).Before(moments[0]) {
		return fmt.Errorf("%w: not yet", errRefused)
	}
	if !restoring && moments[2].After(moments[1]) {
		return fmt.Errorf("%w: expired", errRefused)
	}
	return nil
}

func readPermit(payload []byte) (permitStatement, permitFields, error) {
	var statement permitStatement
	var fields permitFields
	if err := decodeOne(payload, &statement); err != nil {
		return statement, fields, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(statement.Predicate.Permit)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fields); err != nil {
		return statement, fields, err
	}
	if fields.ID == nil || fields.Case == nil || fields.Kind == nil || fields.Environment == nil ||
		fields.HighestShare == nil || fields.Conditions == nil || fields.StartUntil == nil ||
		fields.Dossier == nil {
		return statement, fields, fmt.Errorf("%w: a field is missing", errRefused)
	}
	permitted := false
	for _, property := range statement.Predicate.Properties {
		permitted = permitted || property == "GUIDERAIL_PERMITTED"
	}
	if !permitted || statement.Type != "https://in-toto.io/Statement/v1" ||
		statement.PredicateType != resultType || len(statement.Subject) != 1 ||
		statement.Predicate.Verifier.ID != "urn:guiderail:verifier:v1" {
		return statement, fields, fmt.Errorf("%w: not a permit", errRefused)
	}
	dossier, isDigest := strings.CutPrefix(*fields.Dossier, "sha256:")
	for _, digest := range []string{
		statement.Subject[0].Digest["sha256"],
		statement.Predicate.Verifier.Policy.Digest["sha256"],
		dossier,
	} {
		if !isDigest || !sha256Hex.MatchString(digest) {
			return statement, fields, fmt.Errorf("%w: not a digest: %q", errRefused, digest)
		}
	}
	share, ok := new(big.Rat).SetString(*fields.HighestShare)
	if !ok || !decimal.MatchString(*fields.HighestShare) || share.Sign() <= 0 ||
		share.Cmp(big.NewRat(1, 1)) > 0 {
		return statement, fields, fmt.Errorf("%w: share %s", errRefused, *fields.HighestShare)
	}
	return statement, fields, nil
}

// checkEntry checks that the ledger has recorded this very envelope.
func checkEntry(
	c storedCase, envelope []byte, statement permitStatement, fields permitFields, keys trustedKeys,
) error {
	proof, err := parseProof(string(c.read("permit.tlog-proof")))
	if err != nil {
		return err
	}
	if proof.extra == nil {
		return fmt.Errorf("%w: the proof lacks the entry", errRefused)
	}
	if err := proof.verify(proof.extra, keys.Checkpoint, keys.Origin); err != nil {
		return err
	}
	var entry ledgerEntry
	if err := decodeOne(proof.extra, &entry); err != nil {
		return err
	}
	about := entry.Subject
	if entry.Type != "permit.issued" || about.Kind != *fields.Kind ||
		about.Name != statement.Subject[0].Name || about.Digest == nil ||
		*about.Digest != "sha256:"+statement.Subject[0].Digest["sha256"] {
		return fmt.Errorf("%w: the entry is about something else", errRefused)
	}
	sum := sha256.Sum256(envelope)
	for _, evidence := range entry.Evidence {
		if evidence.SHA256 == hex.EncodeToString(sum[:]) {
			return nil
		}
	}
	return fmt.Errorf("%w: the entry names another envelope", errRefused)
}

// trustedKeys is the content of public.json.
type trustedKeys struct {
	Origin     string
	Checkpoint []string
	Permit     map[string]string
}

func readKeys(data []byte) (trustedKeys, error) {
	var keys trustedKeys
	err := decodeOne(data, &keys)
	return keys, err
}
