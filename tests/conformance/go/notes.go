package main

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// sumdbOrigin is the only first line that tlog.ParseTree reads.
const sumdbOrigin = "go.sum database tree\n"

func verifyKey(c storedCase) error {
	_, err := note.NewVerifier(string(c.read("key.txt")))
	return err
}

func verifyNote(c storedCase) error {
	var question struct{ Keys []string }
	c.ask(&question)
	_, err := openNote(c.read("note.txt"), question.Keys)
	return err
}

func verifyCheckpoint(c storedCase) error {
	var question struct {
		Origin string
		Keys   []string
	}
	c.ask(&question)
	_, err := openCheckpoint(c.read("checkpoint.txt"), question.Keys, question.Origin)
	return err
}

func openNote(data []byte, keys []string) (*note.Note, error) {
	var known []note.Verifier
	for _, text := range keys {
		verifier, err := note.NewVerifier(text)
		if err != nil {
			return nil, err
		}
		known = append(known, verifier)
	}
	return note.Open(data, note.VerifierList(known...))
}

// openCheckpoint checks the signatures of a checkpoint and that it is of the log origin.
func openCheckpoint(data []byte, keys []string, origin string) (tlog.Tree, error) {
	opened, err := openNote(data, keys)
	if err != nil {
		return tlog.Tree{}, err
	}
	first, rest, found := strings.Cut(opened.Text, "\n")
	if !found || first != origin {
		return tlog.Tree{}, fmt.Errorf("%w: the checkpoint is of %q", errRefused, first)
	}
	var text bytes.Buffer
	text.WriteString(sumdbOrigin)
	text.WriteString(rest)
	return tlog.ParseTree(text.Bytes())
}
