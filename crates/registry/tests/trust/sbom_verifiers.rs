//! Bills of materials before CycloneDX' own schema, as the package of its project brings it.

use std::path::Path;
use std::process::{Command, Output};

use crate::hub::{Hub, On};
use crate::sbom::bills;

fn check(python: &Path, files: &[std::path::PathBuf]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifiers/python/check_sbom.py");
    Command::new(python).arg(script).args(files).output().unwrap()
}

/// The Python of the tests, when it has the package.
fn python() -> Option<std::path::PathBuf> {
    let python = std::path::PathBuf::from(std::env::var_os("KONTOR_TEST_PYTHON")?);
    let has = Command::new(&python).args(["-c", "import cyclonedx, jsonschema, packageurl"]).output().ok()?;
    has.status.success().then_some(python)
}

#[tokio::test]
async fn bills_hold_before_the_schema_of_cyclonedx_and_broken_ones_do_not() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: KONTOR_TEST_PYTHON has no cyclonedx-python-lib (cargo xtask test brings it)");
        return;
    };
    let hub = Hub::new(On::Sqlite).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (number, (_, bytes)) in bills(&hub).await.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.cdx.json"));
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let output = check(&python, &paths);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.matches(" ok").count() == 3, "{said}");
    let text = std::fs::read_to_string(&paths[1]).unwrap();
    for (from, to) in
        [("\"SHA-256\"", "\"SHA-255\""), ("\"library\"", "\"book\""), ("pkg:npm/react", "pkg:npm/re%61ct")]
    {
        assert!(text.contains(from), "{from}");
        std::fs::write(&paths[1], text.replacen(from, to, 1)).unwrap();
        assert!(!check(&python, &paths).status.success(), "{from} became {to}");
    }
}
