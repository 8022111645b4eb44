package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// verifyPack checks the files, the signatures, the tree and the numbering of an audit pack, and
// that it continues an older checkpoint where one was kept. It does not look at details of events
// and decides nothing anew.
func verifyPack(c storedCase) error {
	var question struct{ Key string }
	c.ask(&question)
	folder := filepath.Join(c.folder, "pack")
	older, err := os.ReadFile(filepath.Join(c.folder, "older-checkpoint.txt"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := checkFiles(folder); err != nil {
		return err
	}
	return checkLog(folder, question.Key, older)
}

func checkFiles(folder string) error {
	manifest, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		return err
	}
	var named struct {
		Format string
		Files  map[string]string
	}
	if err := decodeOne(manifest, &named); err != nil {
		return err
	}
	seen := 0
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if name == "manifest.json" || name == "manifest.dsse.json" {
			return nil
		}
		found, err := fileHash(path)
		if err != nil {
			return err
		}
		if named.Files[name] != found {
			return fmt.Errorf("%w: %s is not the file in the manifest", errRefused, name)
		}
		seen++
		return nil
	})
	if err != nil {
		return err
	}
	if seen != len(named.Files) {
		return fmt.Errorf("%w: a file is missing", errRefused)
	}
	return checkManifest(folder, manifest)
}

func checkManifest(folder string, manifest []byte) error {
	data, err := os.ReadFile(filepath.Join(folder, "keys.json"))
	if err != nil {
		return err
	}
	keys, err := readKeys(data)
	if err != nil {
		return err
	}
	envelope, err := os.ReadFile(filepath.Join(folder, "manifest.dsse.json"))
	if err != nil {
		return err
	}
	payload, err := openEnvelope(envelope, keys.Permit, inToto)
	if err != nil {
		return err
	}
	var statement struct {
		Subject       []subject
		PredicateType string
	}
	if err := decodeOne(payload, &statement); err != nil {
		return err
	}
	sum := sha256.Sum256(manifest)
	if statement.PredicateType != "urn:guiderail:audit-pack:v1" || len(statement.Subject) != 1 ||
		statement.Subject[0].Digest["sha256"] != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("%w: another manifest was signed", errRefused)
	}
	return nil
}

func checkLog(folder, key string, older []byte) error {
	data, err := os.ReadFile(filepath.Join(folder, "entries.jsonl"))
	if err != nil {
		return err
	}
	if len(data) == 0 || data[len(data)-1] != '\n' {
		return fmt.Errorf("%w: the last line is cut off", errRefused)
	}
	bodies := bytes.Split(data[:len(data)-1], []byte("\n"))
	hashes, err := storedHashes(bodies)
	if err != nil {
		return err
	}
	note, err := os.ReadFile(filepath.Join(folder, "checkpoint.txt"))
	if err != nil {
		return err
	}
	origin, _, _ := strings.Cut(key, "+")
	if err := checkRoot(note, key, origin, hashes, int64(len(bodies)), true); err != nil {
		return err
	}
	if older != nil {
		if err := checkRoot(older, key, origin, hashes, int64(len(bodies)), false); err != nil {
			return err
		}
	}
	return checkNumbers(bodies)
}

// checkRoot compares the root over the first entries with the one that was signed for them.
func checkRoot(note []byte, key, origin string, hashes tlog.HashReader, size int64, all bool) error {
	signed, err := openCheckpoint(note, []string{key}, origin)
	if err != nil {
		return err
	}
	if signed.N > size || all && signed.N != size {
		return fmt.Errorf("%w: %d entries were signed, %d are there", errRefused, signed.N, size)
	}
	root, err := tlog.TreeHash(signed.N, hashes)
	if err != nil {
		return err
	}
	if root != signed.Hash {
		return fmt.Errorf("%w: the entries give another root", errRefused)
	}
	return nil
}

func checkNumbers(bodies [][]byte) error {
	numbers := make(map[[2]string]int64)
	for place, body := range bodies {
		var entry ledgerEntry
		if err := decodeOne(body, &entry); err != nil {
			return err
		}
		about := [2]string{entry.Subject.Kind, entry.Subject.Name}
		numbers[about]++
		if entry.Seq != int64(place) || entry.SubjectNo != numbers[about] {
			return fmt.Errorf("%w: entry %d is numbered wrongly", errRefused, place)
		}
	}
	return nil
}

func storedHashes(bodies [][]byte) (tlog.HashReader, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for place, body := range bodies {
		hashes, err := tlog.StoredHashes(int64(place), body, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	return reader, nil
}

func fileHash(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
