// Verify-log checks a published Kontor log with Go's own transparency log and note libraries.
//
//	verify-log [-seen CHECKPOINT] [-proof FILE]... FOLDER KEY
//
// It prints "ok SIZE ROOT" and ends with 0, or says why it refuses the log and ends with 1.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type list []string

func (l *list) String() string         { return strings.Join(*l, ",") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

func main() {
	var proofs list
	seen := flag.String("seen", "", "a checkpoint of this log that was seen before")
	flag.Var(&proofs, "proof", "a proof file to check with the log's key")
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(flag.Arg(1))
	if err != nil {
		fmt.Fprintln(os.Stderr, "no key:", err)
		os.Exit(2)
	}
	tree, err := verify(flag.Arg(0), verifier, *seen, proofs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Printf("ok %d %s\n", tree.N, tree.Hash)
}

func verify(folder string, verifier note.Verifier, seen string, proofs []string) (tlog.Tree, error) {
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := checkpoint(text, verifier)
	if err != nil {
		return tree, err
	}
	if seen != "" {
		if err := extends(folder, tree, seen, verifier); err != nil {
			return tree, err
		}
	}
	hashes, leaves, err := derive(folder, tree)
	if err != nil {
		return tree, err
	}
	if err := compareTiles(folder, tree.N, hashes); err != nil {
		return tree, err
	}
	if err := proveAll(folder, tree, hashes, leaves); err != nil {
		return tree, err
	}
	for _, path := range proofs {
		if err := proofFile(path, verifier); err != nil {
			return tree, fmt.Errorf("%s: %v", path, err)
		}
	}
	return tree, nil
}

// checkpoint opens a note that the log's key has signed and whose origin is the key's name.
func checkpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("the checkpoint is not of %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// extends proves from the tiles that the tree begins with one seen before.
func extends(folder string, tree tlog.Tree, seen string, verifier note.Verifier) error {
	text, err := os.ReadFile(seen)
	if err != nil {
		return err
	}
	before, err := checkpoint(text, verifier)
	if err != nil {
		return err
	}
	if before.N > tree.N {
		return fmt.Errorf("the log had %d entries and has %d now", before.N, tree.N)
	}
	if before.N == tree.N {
		if before.Hash != tree.Hash {
			return fmt.Errorf("the log has another history of %d entries than before", tree.N)
		}
		return nil
	}
	if before.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, before.N, tlog.TileHashReader(tree, reader{folder, tree.N}))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash)
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		if index < 0 || index >= int64(len(s)) {
			return nil, fmt.Errorf("there is no hash %d", index)
		}
		hashes = append(hashes, s[index])
	}
	return hashes, nil
}

// derive reads all entries and computes all hashes of the tree from them.
func derive(folder string, tree tlog.Tree) (stored, [][]byte, error) {
	var hashes stored
	var leaves [][]byte
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		data, err := readFile(folder, "tile/entries/", first/256, int(width), 34)
		if err != nil {
			return nil, nil, err
		}
		for ; len(data) > 0; data = data[34:] {
			if data[0] != 0 || data[1] != 32 {
				return nil, nil, fmt.Errorf("an entry after %d has not 32 bytes", len(leaves))
			}
			leaf := data[2:34]
			more, err := tlog.StoredHashes(int64(len(leaves)), leaf, hashes)
			if err != nil {
				return nil, nil, err
			}
			hashes = append(hashes, more...)
			leaves = append(leaves, leaf)
		}
	}
	if tree.N > 0 {
		root, err := tlog.TreeHash(tree.N, hashes)
		if err != nil {
			return nil, nil, err
		}
		if root != tree.Hash {
			return nil, nil, fmt.Errorf("the entries have the root %s, the checkpoint says %s", root, tree.Hash)
		}
	}
	return hashes, leaves, nil
}

// compareTiles compares every tile that a tree of this size has with the hashes derived from the entries.
func compareTiles(folder string, size int64, hashes stored) error {
	for level := 0; size>>(8*uint(level)) > 0; level++ {
		count := size >> (8 * uint(level))
		for first := int64(0); first < count; first += 256 {
			tile := tlog.Tile{H: 8, L: level, N: first / 256, W: 256}
			if count-first < 256 {
				tile.W = int(count - first)
			}
			expected, err := tlog.ReadTileData(tile, hashes)
			if err != nil {
				return err
			}
			found, err := readTile(folder, tile)
			if err != nil {
				return err
			}
			if !bytes.Equal(found, expected) {
				return fmt.Errorf("the tile %s is not what the entries give", tile.Path())
			}
		}
	}
	return nil
}

// proveAll proves, from the tiles alone, each entry and each of many older sizes.
func proveAll(folder string, tree tlog.Tree, hashes stored, leaves [][]byte) error {
	tiles := tlog.TileHashReader(tree, reader{folder, tree.N})
	for index, leaf := range leaves {
		proof, err := tlog.ProveRecord(tree.N, int64(index), tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(leaf)); err != nil {
			return fmt.Errorf("entry %d: %v", index, err)
		}
	}
	for old := int64(1); old <= tree.N; old += 1 + old/8 {
		root, err := tlog.TreeHash(old, hashes)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(tree.N, old, tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, root); err != nil {
			return fmt.Errorf("size %d: %v", old, err)
		}
	}
	return nil
}
