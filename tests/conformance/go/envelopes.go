package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
)

const inToto = "application/vnd.in-toto+json"

func verifyEnvelope(c storedCase) error {
	var question struct {
		PayloadType string `json:"payload_type"`
		Keys        map[string]string
	}
	c.ask(&question)
	_, err := openEnvelope(c.read("envelope.json"), question.Keys, question.PayloadType)
	return err
}

// openEnvelope returns the payload of a DSSE envelope that one of keys (id -> base64) signed.
func openEnvelope(data []byte, keys map[string]string, wanted string) ([]byte, error) {
	var envelope struct {
		Payload     *string
		PayloadType *string
		Signatures  []struct {
			KeyID *string
			Sig   *string
		}
	}
	if err := decodeOne(data, &envelope); err != nil {
		return nil, err
	}
	if envelope.Payload == nil || envelope.PayloadType == nil || *envelope.PayloadType != wanted {
		return nil, fmt.Errorf("%w: not an envelope of %s", errRefused, wanted)
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(*envelope.Payload)
	if err != nil {
		return nil, err
	}
	signed := fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(wanted), wanted, len(payload))
	signed = append(signed, payload...)
	known := false
	for _, one := range envelope.Signatures {
		if one.KeyID == nil || one.Sig == nil {
			return nil, fmt.Errorf("%w: half a signature", errRefused)
		}
		signature, err := base64.StdEncoding.Strict().DecodeString(*one.Sig)
		if err != nil {
			return nil, err
		}
		encoded, ok := keys[*one.KeyID]
		if !ok {
			continue
		}
		key, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: not a key", errRefused)
		}
		if !ed25519.Verify(key, signed, signature) {
			return nil, fmt.Errorf("%w: wrong signature", errRefused)
		}
		known = true
	}
	if !known {
		return nil, fmt.Errorf("%w: no known key signed", errRefused)
	}
	return payload, nil
}

// decodeOne reads data as one JSON value and nothing after it.
func decodeOne(data []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(value); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows the JSON", errRefused)
	}
	return nil
}
