//! Replays the fuzzer's seeds, among them every input that once broke something.

mod fuzzed;

use std::fs;
use std::path::Path;

#[test]
fn every_seed_is_read_without_surprise() -> std::io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, check) in fuzzed::TARGETS {
        let mut replayed = 0;
        for seed in fs::read_dir(seeds.join(name))? {
            check(&fs::read(seed?.path())?);
            replayed += 1;
        }
        assert!(replayed > 0, "fuzz/seeds/{name} holds a seed to start from");
    }
    Ok(())
}

#[test]
fn every_seed_cut_at_any_place_is_read_without_surprise() -> std::io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, check) in fuzzed::TARGETS {
        for seed in fs::read_dir(seeds.join(name))? {
            let seed = fs::read(seed?.path())?;
            let step = (seed.len() / 40).max(1);
            (0..seed.len()).step_by(step).for_each(|length| check(&seed[..length]));
        }
    }
    Ok(())
}
