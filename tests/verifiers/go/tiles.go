package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// reader hands tiles to the library, which checks each against the root before it uses it.
type reader struct {
	folder string
	size   int64
}

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := readTile(r.folder, tile)
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func readTile(folder string, tile tlog.Tile) ([]byte, error) {
	return readFile(folder, fmt.Sprintf("tile/%d/", tile.L), tile.N, tile.W, tlog.HashSize)
}

// readFile reads a tile or bundle; a narrow one may have been replaced by the full one, of which it is the beginning.
func readFile(folder, prefix string, index int64, width, each int) ([]byte, error) {
	// The library writes tile/HEIGHT/LEVEL/INDEX; the height is fixed here and left out.
	full := tlog.Tile{H: 8, L: 0, N: index, W: 256}
	path := filepath.Join(folder, prefix, strings.TrimPrefix(full.Path(), "tile/8/0/"))
	if width < 256 {
		narrow := fmt.Sprintf("%s.p/%d", path, width)
		if data, err := os.ReadFile(narrow); err == nil {
			return exactly(narrow, data, width*each)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if data, err = exactly(path, data, 256*each); err != nil {
		return nil, err
	}
	return data[:width*each], nil
}

func exactly(path string, data []byte, size int) ([]byte, error) {
	if len(data) != size {
		return nil, fmt.Errorf("%s has %d bytes instead of %d", path, len(data), size)
	}
	return data, nil
}
