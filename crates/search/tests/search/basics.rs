use crate::world::{World, slugs};
use kontor_search::{Index, Query, Sort};
use kontor_types::Viewer;

#[test]
fn words_find_skills_and_a_name_comes_first() {
    let mut world = World::new();
    world.add("acme", "pdf-tools", "Extract text and tables from PDF files, fill forms, merge documents.");
    world.add("acme", "invoices", "Read invoices in PDF form and book them. PDF PDF PDF.");
    world.add("zoo", "weather", "Tell the weather of tomorrow.");
    let index = world.index();

    let hits = index.search(&Query::new("pdf tools", &Viewer::anonymous())).unwrap();
    assert_eq!(slugs(&hits), ["pdf-tools", "invoices"]);
    let hits = index.search(&Query::new("@zoo/weather", &Viewer::anonymous())).unwrap();
    assert_eq!(slugs(&hits)[0], "weather");
    let hits = index.search(&Query { sort: Sort::Created, ..Query::new("", &Viewer::anonymous()) }).unwrap();
    assert_eq!(hits.total.count, 3);
    assert_eq!(slugs(&hits), ["weather", "invoices", "pdf-tools"]);
    assert_eq!(Index::in_memory().unwrap().search(&Query::new("pdf", &Viewer::anonymous())).unwrap().items.len(), 0);
}
