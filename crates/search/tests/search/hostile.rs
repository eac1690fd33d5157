//! Whatever is asked or fed in, the index answers, and soon.

use std::time::{Duration, Instant};

use kontor_search::{Filters, Index, Mode, Query, Sort};
use kontor_types::Viewer;
use proptest::prelude::*;
use rstest::rstest;

use crate::world::World;

fn index() -> Index {
    let mut world = World::new();
    world.add("acme", "log-reader", "Reads log files. 读取日志文件。").body = "log ".repeat(20_000);
    world.add("acme", "empty", "");
    world.add("zoo", "odd", "\u{202e}\u{0}~'\"*:[]{}^").display_name = "\u{feff}奇怪 🦀 N\u{303}ame".into();
    world.index()
}

proptest! {
    #[test]
    fn no_text_makes_it_fail(text in any::<String>(), mode in 0..3_usize, sort in 0..3_usize) {
        let (index, viewer) = (index(), Viewer::anonymous());
        let mode = [Mode::Words, Mode::Exact, Mode::Prefix][mode];
        let sort = [Sort::Relevance, Sort::Updated, Sort::Stars][sort];
        let filters = Filters { keyword: (mode == Mode::Exact).then(|| text.clone()), ..Filters::default() };
        let query = Query { mode, sort, filters, facets: 3, ..Query::new(&text, &viewer) };
        prop_assert!(index.search(&query).is_ok());
        prop_assert!(index.suggest(&text, &viewer, 5).is_ok());
    }

    #[test]
    fn no_words_make_it_fail(words in prop::collection::vec("[a-zA-Z@/:'日志文件 -]{0,12}", 0..40)) {
        let (index, viewer) = (index(), Viewer::anonymous());
        let text = words.join(" ");
        prop_assert!(index.search(&Query::new(&text, &viewer)).is_ok());
        prop_assert!(index.suggest(&text, &viewer, 5).is_ok());
    }

    #[test]
    fn no_document_makes_it_fail(name in any::<String>(), text in any::<String>(), trending in any::<f64>()) {
        let mut world = World::new();
        let document = world.add("acme", "any", &text);
        document.display_name.clone_from(&name);
        document.body.clone_from(&text);
        document.keywords = vec![name.clone(); 100];
        document.license = Some(text);
        document.trending = trending;
        let hits = world.index().search(&Query::new("any", &Viewer::anonymous())).unwrap();
        prop_assert_eq!(hits.items.len(), 1);
    }
}

#[rstest]
#[case::one_word("a".repeat(4_000_000))]
#[case::many_words((0..400_000).map(|number| number.to_string()).collect::<Vec<_>>().join(" "))]
#[case::many_times("log file reader ".repeat(200_000))]
#[case::chinese("日志文件读取".repeat(200_000))]
#[case::marks("@/".repeat(1_000_000))]
#[case::combining("e\u{301}".repeat(1_000_000))]
fn a_query_of_megabytes_is_cut(#[case] text: String) {
    let (index, viewer) = (index(), Viewer::anonymous());
    index.search(&Query::new("日志", &viewer)).unwrap();
    let started = Instant::now();
    index.search(&Query::new(&text, &viewer)).unwrap();
    index.suggest(&text, &viewer, 5).unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "took {:?}", started.elapsed());
}
