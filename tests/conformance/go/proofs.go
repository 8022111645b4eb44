package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	proofHeader = "c2sp.org/tlog-proof@v1"

	// largestTree is the largest one that tlog can think about: its maxpow2 never returns for
	// more, so whoever hands it a size from a stranger must ask first.
	largestTree = 1 << 62
)

func verifyInclusion(c storedCase) error {
	var question struct {
		LeafHash string `json:"leaf_hash"`
		Index    string
		Size     string
		Proof    []string
		Root     string
	}
	c.ask(&question)
	numbers, err := integers(question.Index, question.Size)
	if err != nil {
		return err
	}
	hashes, err := hexHashes(append(question.Proof, question.LeafHash, question.Root))
	if err != nil {
		return err
	}
	last := len(hashes) - 2
	return checkRecord(hashes[:last], numbers[1], hashes[last+1], numbers[0], hashes[last])
}

func verifyConsistency(c storedCase) error {
	var question struct {
		OldSize string `json:"old_size"`
		NewSize string `json:"new_size"`
		Proof   []string
		OldRoot string `json:"old_root"`
		NewRoot string `json:"new_root"`
	}
	c.ask(&question)
	numbers, err := integers(question.OldSize, question.NewSize)
	if err != nil {
		return err
	}
	hashes, err := hexHashes(append(question.Proof, question.OldRoot, question.NewRoot))
	if err != nil {
		return err
	}
	if numbers[1] > largestTree {
		return fmt.Errorf("%w: a tree of %d", errRefused, numbers[1])
	}
	last := len(hashes) - 2
	return tlog.CheckTree(hashes[:last], numbers[1], hashes[last+1], numbers[0], hashes[last])
}

func verifyProofFile(c storedCase) error {
	var question struct {
		Origin string
		Keys   []string
	}
	c.ask(&question)
	proof, err := parseProof(string(c.read("proof.tlog-proof")))
	if err != nil {
		return err
	}
	return proof.verify(c.read("entry.json"), question.Keys, question.Origin)
}

// A proofFile is the content of a .tlog-proof.
type proofFile struct {
	index      int64
	path       tlog.RecordProof
	checkpoint string
	extra      []byte
}

func parseProof(text string) (proofFile, error) {
	var proof proofFile
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != proofHeader {
		return proof, fmt.Errorf("%w: no %s", errRefused, proofHeader)
	}
	proof.checkpoint = checkpoint
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[0], "extra "))
		if err != nil {
			return proof, err
		}
		proof.extra = append([]byte{}, extra...)
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return proof, fmt.Errorf("%w: no index", errRefused)
	}
	digits := strings.TrimPrefix(lines[0], "index ")
	index, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strconv.FormatInt(index, 10) != digits {
		return proof, fmt.Errorf("%w: index %q", errRefused, digits)
	}
	proof.index = index
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return proof, err
		}
		proof.path = append(proof.path, hash)
	}
	return proof, nil
}

// verify checks that entry is where the proof says, in a tree that the log has signed.
func (p proofFile) verify(entry []byte, keys []string, origin string) error {
	signed, err := openCheckpoint([]byte(p.checkpoint), keys, origin)
	if err != nil {
		return err
	}
	return checkRecord(p.path, signed.N, signed.Hash, p.index, tlog.RecordHash(entry))
}

func checkRecord(path tlog.RecordProof, size int64, root tlog.Hash, index int64, leaf tlog.Hash) error {
	if size > largestTree {
		return fmt.Errorf("%w: a tree of %d", errRefused, size)
	}
	return tlog.CheckRecord(path, size, root, index, leaf)
}

func integers(texts ...string) ([]int64, error) {
	var found []int64
	for _, text := range texts {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		found = append(found, number)
	}
	return found, nil
}

func hexHashes(texts []string) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, text := range texts {
		data, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		var hash tlog.Hash
		if len(data) != len(hash) {
			return nil, fmt.Errorf("%w: a hash of %d bytes", errRefused, len(data))
		}
		copy(hash[:], data)
		found = append(found, hash)
	}
	return found, nil
}
