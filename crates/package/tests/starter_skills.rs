//! The starter skills hold themselves to what the checker asks of others.

use std::path::Path;

use kontor_package::{Content, DiscoveryLimits, Limits, discover, inspect};

#[test]
fn starter_skills_are_spec_valid_with_tools_and_no_finding() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills");
    let found = discover(&root, &DiscoveryLimits::default()).unwrap();
    assert_eq!(found.skills.len(), 7, "seven starter skills, and no skill among their tests");
    for skill in &found.skills {
        let name = skill.folder_name().unwrap();
        let content = Content::from_directory(&root.join(name), &Limits::default()).unwrap();
        let read = inspect(&content, Some(name));
        assert_eq!(read.findings, [], "{name}");
        assert!(read.spec_valid && read.accepted, "{name}");
        let manifest = read.manifest.unwrap();
        assert!(manifest.version.is_some() && !manifest.tools.is_empty(), "{name}");
        assert!(manifest.limits.wall.is_some() && manifest.limits.memory.is_some(), "{name}");
        assert_eq!(manifest.permissions, kontor_package::Permissions::default(), "{name} asks for a permission");
        for tool in &manifest.tools {
            assert!(
                tool.description.is_some() && tool.input.is_some() && tool.output.is_some(),
                "{name} {}",
                tool.name
            );
        }
    }
}
