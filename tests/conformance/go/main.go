// Conformance is a second verifier for the cases of the suite, independent of Guiderail's own:
// notes and proofs are checked by golang.org/x/mod/sumdb/note and tlog, the rest by the standard
// library. It prints one JSON object: case -> whether it is accepted, and why not.
//
//	conformance CASES
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A verdict is what is said about one case.
type verdict struct {
	Accept bool   `json:"accept"`
	Reason string `json:"reason"`
}

// A stored case is one folder of the suite.
type storedCase struct {
	folder   string
	Kind     string          `json:"kind"`
	Question json.RawMessage `json:"question"`
}

var errRefused = errors.New("refused")

var verifiers = map[string]func(storedCase) error{
	"verifier-key": verifyKey,
	"note":         verifyNote,
	"checkpoint":   verifyCheckpoint,
	"inclusion":    verifyInclusion,
	"consistency":  verifyConsistency,
	"tlog-proof":   verifyProofFile,
	"dsse":         verifyEnvelope,
	"permit":       verifyPermit,
	"audit-pack":   verifyPack,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: conformance CASES")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	found, err := filepath.Glob(filepath.Join(root, "*", "*", "case.json"))
	if err != nil {
		return err
	}
	verdicts := make(map[string]verdict)
	for _, path := range found {
		folder := filepath.Dir(path)
		name, err := filepath.Rel(root, folder)
		if err != nil {
			return err
		}
		one := storedCase{folder: folder}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		verify, ok := verifiers[one.Kind]
		if !ok {
			return fmt.Errorf("%s: unknown kind %q", name, one.Kind)
		}
		if err := verify(one); err != nil {
			verdicts[filepath.ToSlash(name)] = verdict{false, err.Error()}
		} else {
			verdicts[filepath.ToSlash(name)] = verdict{Accept: true}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

// ask reads the question of a case; one that cannot be read is a broken suite, not a refusal.
func (c storedCase) ask(question any) {
	if err := json.Unmarshal(c.Question, question); err != nil {
		panic(fmt.Sprintf("%s: %v", c.folder, err))
	}
}

// read returns the content of a file that must be there.
func (c storedCase) read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(c.folder, name))
	if err != nil {
		panic(err)
	}
	return data
}
