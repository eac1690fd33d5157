package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proven struct {
	Statement string `json:"statement"`
	Salt      []byte `json:"salt"`
	Proof     string `json:"proof"`
}

// proofFile checks that each statement of a proof file is in the log that its checkpoint speaks of.
func proofFile(path string, verifier note.Verifier) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var file struct {
		Statements []proven `json:"statements"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	if len(file.Statements) == 0 {
		return errors.New("there is no statement in it")
	}
	for _, statement := range file.Statements {
		if err := statement.check(verifier); err != nil {
			return err
		}
	}
	return nil
}

func (p proven) check(verifier note.Verifier) error {
	head, signed, found := strings.Cut(p.Proof, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("this is no tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(bytes) != tlog.HashSize {
			return errors.New("a line of the path is no hash")
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		path = append(path, hash)
	}
	tree, err := checkpoint([]byte(signed), verifier)
	if err != nil {
		return err
	}
	leaf := sha256.Sum256(append(p.Salt, p.Statement...))
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaf[:]))
}
