//! The Merkle tree against the known values of Certificate Transparency, and proofs against everything that is no proof.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use kontor_translog::{
    Error, Frontier, Nodes, consistency, empty_root, inclusion, leaf_hash, node_hash, verify_consistency,
    verify_inclusion,
};
use kontor_types::Digest;
use proptest::prelude::*;
use rstest::rstest;

/// The leaves of the reference implementation's tests for RFC 6962.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The roots over the first 0, 1, 2 … of them, as Go's `tlog` and Python's `pymerkle` compute them.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// A tree in memory.
struct Tree(Vec<Digest>);

impl Tree {
    fn of(size: u64) -> Self {
        Self((0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect())
    }

    fn golden() -> Self {
        Self(LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect())
    }

    fn root(&self, size: u64) -> Digest {
        let mut edge = Frontier::default();
        self.0[..usize::try_from(size).unwrap()].iter().for_each(|leaf| edge.push(*leaf));
        edge.root()
    }
}

impl Nodes for Tree {
    fn node(&mut self, level: u32, index: u64) -> Result<Digest, Error> {
        if level == 0 {
            return Ok(self.0[usize::try_from(index).unwrap()]);
        }
        Ok(node_hash(&self.node(level - 1, index * 2)?, &self.node(level - 1, index * 2 + 1)?))
    }
}

#[test]
fn roots_are_the_known_ones() {
    let mut tree = Tree::golden();
    for (size, expected) in (0..).zip(ROOTS) {
        assert_eq!(tree.root(size).hex(), expected, "size {size}");
        if size > 0 {
            assert_eq!(tree.range(0, size).unwrap().hex(), expected, "size {size}");
        }
    }
}

/// The paths that `pymerkle` gives, without the leaf that it puts first.
#[rstest]
#[case(0, 8, &[
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
])]
#[case(5, 8, &[
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
])]
#[case(2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"])]
fn inclusion_paths_are_the_known_ones(#[case] index: u64, #[case] size: u64, #[case] expected: &[&str]) {
    let path = inclusion(&mut Tree::golden(), index, size).unwrap();
    assert_eq!(path.iter().map(Digest::hex).collect::<Vec<_>>(), expected);
}

/// The paths that Go's `tlog` gives.
#[rstest]
#[case(1, 8, &[
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
])]
#[case(6, 8, &[
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
])]
#[case(2, 5, &[
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
])]
fn consistency_paths_are_the_known_ones(#[case] old: u64, #[case] new: u64, #[case] expected: &[&str]) {
    let path = consistency(&mut Tree::golden(), old, new).unwrap();
    assert_eq!(path.iter().map(Digest::hex).collect::<Vec<_>>(), expected);
}

#[test]
fn every_proof_of_small_trees_holds_and_holds_for_nothing_else() {
    let mut tree = Tree::of(40);
    for size in 1..=40 {
        let root = tree.root(size);
        for index in 0..size {
            let (leaf, path) = (tree.node(0, index).unwrap(), inclusion(&mut tree, index, size).unwrap());
            verify_inclusion(leaf, index, size, &path, &root).unwrap();
            for other in (0..=size).filter(|other| *other != index) {
                assert!(verify_inclusion(leaf, other, size, &path, &root).is_err(), "{index} as {other} of {size}");
            }
            for place in 0..path.len() {
                let mut shorter = path.clone();
                shorter.remove(place);
                assert!(verify_inclusion(leaf, index, size, &shorter, &root).is_err());
                let mut changed = path.clone();
                changed[place] = Digest::of(b"other");
                assert!(verify_inclusion(leaf, index, size, &changed, &root).is_err());
            }
            let longer: Vec<_> = path.iter().copied().chain([root]).collect();
            assert!(verify_inclusion(leaf, index, size, &longer, &root).is_err());
            assert!(verify_inclusion(Digest::of(b"other"), index, size, &path, &root).is_err());
        }
        for old in 0..=size {
            let (before, path) = (tree.root(old), consistency(&mut tree, old, size).unwrap());
            verify_consistency((old, &before), (size, &root), &path).unwrap();
            let forked = Digest::of(b"fork");
            assert!(verify_consistency((old, &forked), (size, &root), &path).is_err());
            if old > 0 {
                assert!(verify_consistency((old, &before), (size, &forked), &path).is_err());
                let longer: Vec<_> = path.iter().copied().chain([root]).collect();
                assert!(verify_consistency((old, &before), (size, &root), &longer).is_err());
            }
        }
    }
    assert!(inclusion(&mut tree, 5, 5).is_err());
    assert!(consistency(&mut tree, 6, 5).is_err());
    assert!(verify_consistency((6, &tree.root(6)), (5, &tree.root(5)), &[]).is_err());
    assert!(verify_consistency((0, &tree.root(5)), (5, &tree.root(5)), &[]).is_err());
    assert_eq!(tree.root(0), empty_root());
}

proptest! {
    #[test]
    fn an_edge_comes_back_from_its_bytes(size in 0_u64..3000) {
        let tree = Tree::of(size);
        let mut edge = Frontier::default();
        tree.0.iter().for_each(|leaf| edge.push(*leaf));
        prop_assert_eq!(Frontier::from_bytes(size, &edge.to_bytes()).unwrap(), edge.clone());
        prop_assert!(Frontier::from_bytes(size + 1, &[edge.to_bytes(), vec![0]].concat()).is_err());
        if size > 0 {
            prop_assert_eq!(Tree::of(size).range(0, size).unwrap(), edge.root());
        }
    }

    #[test]
    fn no_numbers_break_the_verifiers(index: u64, size: u64, old: u64, length in 0_usize..70) {
        let path = vec![Digest::of(b"x"); length];
        let _ = verify_inclusion(Digest::of(b"y"), index, size, &path, &Digest::of(b"z"));
        let _ = verify_consistency((old, &Digest::of(b"y")), (size, &Digest::of(b"z")), &path);
    }
}
