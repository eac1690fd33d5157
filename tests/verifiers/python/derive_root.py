"""Derives the root of a published Kontor log with pymerkle, from its bundles of entries alone.

derive_root.py FOLDER SIZE prints the root in base64.
"""

import base64
import pathlib
import sys

from pymerkle import InmemoryTree, verify_inclusion

ENTRY = 34


def tile_path(index):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def bundle(folder, index, width):
    """A bundle's entries; a narrow one may have been replaced by the full one."""
    path = folder / "tile/entries" / tile_path(index)
    narrow = path.with_name(f"{path.name}.p") / str(width)
    data = narrow.read_bytes() if width < 256 and narrow.exists() else path.read_bytes()[: width * ENTRY]
    if len(data) != width * ENTRY:
        sys.exit(f"bundle {index} has {len(data)} bytes")
    return [data[at + 2 : at + ENTRY] for at in range(0, len(data), ENTRY)]


def main():
    folder, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    tree = InmemoryTree(algorithm="sha256")
    for first in range(0, size, 256):
        for leaf in bundle(folder, first // 256, min(256, size - first)):
            tree.append_entry(leaf)
    for index in {1, size // 2 + 1, size}:
        verify_inclusion(tree.get_leaf(index), tree.get_root(), tree.prove_inclusion(index, size))
    print(base64.b64encode(tree.get_root()).decode())


main()
