//! Discovery documents: what the `skills` client and others install from an address.
//!
//! `/@p/.well-known/…` has the skills of a publisher, `/@p/s/.well-known/…` one skill, `/@p/s@v/.well-known/…` one version;
//! `/@p@s` means `/@p/s`. The root has at most fifty, since a client downloads all that an index lists. Two versions of the
//! document are served: 0.2 under `agent-skills` (one artifact and its digest a skill) and 0.1 under `skills` (its files).

mod artifact;
mod find;
mod index;
mod legacy;
mod scope;

use crate::Routes;

/// The routes of discovery.
pub fn routes() -> Routes {
    const V2: &str = ".well-known/agent-skills";
    const V1: &str = ".well-known/skills";
    Routes::new()
        .get("/api/search", find::find)
        .get(&format!("/{V2}/index.json"), index::index)
        .get(&format!("/@{{publisher}}/{V2}/index.json"), index::index)
        .get(&format!("/@{{publisher}}/{{skill}}/{V2}/index.json"), index::index)
        .get(&format!("/@{{publisher}}/{V2}/{{artifact}}"), artifact::artifact)
        .get(&format!("/@{{publisher}}/{{skill}}/{V2}/{{artifact}}"), artifact::artifact)
        .get(&format!("/{V1}/index.json"), legacy::index)
        .get(&format!("/@{{publisher}}/{V1}/index.json"), legacy::index)
        .get(&format!("/@{{publisher}}/{{skill}}/{V1}/index.json"), legacy::index)
        .get(&format!("/{V1}/{{name}}/{{*path}}"), legacy::file)
        .get(&format!("/@{{publisher}}/{V1}/{{name}}/{{*path}}"), legacy::file)
        .get(&format!("/@{{publisher}}/{{skill}}/{V1}/{{name}}/{{*path}}"), legacy::file)
}
