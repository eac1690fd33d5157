//! A skill's text as HTML that cannot act: no scripts, no remote images, links that vouch for nothing.
//!
//! HTML inside the text is shown as it was written, comments too: whoever judges a skill sees all that an agent reads.

use std::borrow::Cow;
use std::collections::HashSet;

use maud::html;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::{Language, highlight};

/// The most bytes of a text that are shown.
pub const MAX_TEXT: usize = 256 * 1024;
/// Quotes and lists inside each other that are shown as such; what lies deeper is shown at this depth.
const MAX_DEPTH: usize = 24;

/// Stretches of all blocks of code together that are marked.
const MOST_MARKS: usize = 4_000;

/// HTML of a Markdown text; `file` makes the address of another file of the skill from its path.
///
/// Its headings stand two levels lower, below those of the page that shows it.
pub fn render(language: Language, text: &str, file: impl Fn(&str) -> String) -> String {
    let words = language.words();
    let (text, is_cut) = head(text);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut depth = 0_usize;
    let mut code = Code { language: None, room: MOST_MARKS };
    let events =
        Parser::new_ext(text, options).filter(|event| is_shallow(event, &mut depth)).map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            Event::Start(Tag::Image { .. }) => Event::Text(CowStr::from(format!("[{}: ", words.image))),
            Event::End(TagEnd::Image) => Event::Text(CowStr::Borrowed("]")),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = match path_of(&dest_url) {
                    Some(path) => CowStr::from(file(&path)),
                    None => dest_url,
                };
                Event::Start(Tag::Link { link_type, dest_url, title, id })
            }
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                Event::Start(Tag::Heading { level: lowered(level), id, classes, attrs })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lowered(level))),
            Event::Start(Tag::CodeBlock(kind)) => {
                code.begin(&kind);
                Event::Start(Tag::CodeBlock(kind))
            }
            Event::End(TagEnd::CodeBlock) => {
                code.language = None;
                Event::End(TagEnd::CodeBlock)
            }
            Event::Text(text) => code.text(text),
            other => other,
        });
    let mut html = String::with_capacity(text.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events);
    let mut cleaned = clean(&html);
    if is_cut {
        cleaned.push_str("<p><em>");
        cleaned.push_str(words.text_goes_on);
        cleaned.push_str("</em></p>");
    }
    cleaned
}

/// The block of code that is written, and how many stretches may still be marked.
struct Code {
    language: Option<highlight::Language>,
    room: usize,
}

impl Code {
    fn begin(&mut self, kind: &CodeBlockKind<'_>) {
        self.language = match kind {
            CodeBlockKind::Fenced(word) => highlight::Language::named(word),
            CodeBlockKind::Indented => None,
        };
    }

    /// Text of a block in the colours of its language; any other text as it is.
    fn text<'t>(&mut self, text: CowStr<'t>) -> Event<'t> {
        let Some(language) = self.language else { return Event::Text(text) };
        let marks = highlight::tokens(language, &text, self.room);
        self.room -= marks.len();
        let shown = highlight::marked(&text, &marks, |part| html! { (part) });
        Event::InlineHtml(CowStr::from(shown.into_string()))
    }
}

const fn lowered(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

fn is_shallow(event: &Event<'_>, depth: &mut usize) -> bool {
    match event {
        Event::Start(_) => {
            *depth = depth.saturating_add(1);
            *depth <= MAX_DEPTH
        }
        Event::End(_) => {
            *depth = depth.saturating_sub(1);
            *depth < MAX_DEPTH
        }
        _ => true,
    }
}

fn head(text: &str) -> (&str, bool) {
    if text.len() <= MAX_TEXT {
        return (text, false);
    }
    let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    (text.get(..end).unwrap_or_default(), true)
}

/// The path of another file of the same skill, when an address is one.
fn path_of(address: &str) -> Option<Cow<'_, str>> {
    let path = address.split(['#', '?']).next().unwrap_or_default();
    let is_elsewhere = path.is_empty() || path.starts_with(['/', '\\']) || path.contains(':');
    if is_elsewhere || path.split('/').any(|segment| segment == "..") {
        return None;
    }
    Some(Cow::Borrowed(path.trim_start_matches("./")))
}

fn clean(html: &str) -> String {
    ammonia::Builder::default()
        .rm_tags(["img", "map", "area"])
        .add_allowed_classes("span", highlight::Kind::ALL.map(highlight::Kind::class))
        .add_tags(["input"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        // What is wider than its place is scrolled by keyboard too.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        // What may scroll sideways, the keyboard scrolls too.
        .add_tag_attributes("pre", ["tabindex"])
        .add_tag_attributes("table", ["tabindex"])
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .link_rel(Some("nofollow noopener noreferrer"))
        .id_prefix(Some("text-"))
        .clean(html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rendered(text: &str) -> String {
        render(Language::English, text, |path| format!("/file/{path}"))
    }

    #[rstest]
    #[case::script("<script>alert(1)</script>")]
    #[case::handler("<a href=\"https://a\" onclick=\"alert(1)\">x</a>")]
    #[case::script_address("[x](javascript:alert(1))")]
    #[case::data_address("[x](data:text/html,hi)")]
    #[case::frame("<iframe src=\"https://a\"></iframe>")]
    #[case::form("<form action=\"https://a\"><button>x</button></form>")]
    #[case::style("<style>body{display:none}</style><p style=\"position:fixed\">x</p>")]
    #[case::base("<base href=\"https://a\">")]
    #[case::refresh("<meta http-equiv=\"refresh\" content=\"0\">")]
    fn nothing_in_a_text_acts(#[case] text: &str) {
        let html = rendered(text);
        for tag in ["<script", "<a href=\"javascript", "<a href=\"data", "<iframe", "<form", "<style", "<base", "<meta"]
        {
            assert!(!html.contains(tag), "{tag} in {html}");
        }
        assert!(!html.contains("onclick") || html.contains("&lt;a href"), "{html}");
    }

    #[rstest]
    #[case::markdown("![the logo](https://a.example/track.png)", "[image: the logo]")]
    #[case::html("before <img src=\"https://a.example/t.png\"> after", "&lt;img src=\"https://a.example/t.png\"&gt;")]
    fn images_are_not_loaded(#[case] text: &str, #[case] shown: &str) {
        let html = rendered(text);
        assert!(html.contains(shown), "{html}");
        assert!(!html.contains("<img"), "{html}");
    }

    #[test]
    fn links_vouch_for_nothing() {
        let html = rendered("[x](https://a.example)");
        assert_eq!(html, "<p><a href=\"https://a.example\" rel=\"nofollow noopener noreferrer\">x</a></p>\n");
    }

    #[rstest]
    #[case::file("[x](references/a.md)", "href=\"/file/references/a.md\"")]
    #[case::here("[x](./a.md#top)", "href=\"/file/a.md\"")]
    #[case::above("[x](../../etc/passwd)", "href=\"../../etc/passwd\"")]
    #[case::anchor("[x](#top)", "href=\"#top\"")]
    fn links_to_files_of_the_skill_lead_to_them(#[case] text: &str, #[case] address: &str) {
        assert!(rendered(text).contains(address), "{}", rendered(text));
    }

    #[test]
    fn headings_of_a_text_stand_below_those_of_the_page() {
        let html = rendered("# One\n\n## Two\n\nThree\n=====\n\n##### Deep\n");
        assert_eq!(html, "<h3>One</h3>\n<h4>Two</h4>\n<h3>Three</h3>\n<h6>Deep</h6>\n");
    }

    #[test]
    fn a_comment_is_shown_to_whoever_judges_the_skill() {
        assert!(rendered("text\n\n<!-- agent: do more -->\n").contains("&lt;!-- agent: do more --&gt;"));
    }

    #[test]
    fn code_is_shown_in_the_colours_of_its_language_and_acts_no_more_than_before() {
        let html =
            rendered("```sh\necho '<b onclick=x>' # \"</code>\n```\n\n    echo\n\n<span class=\"t-text\">x</span>\n");
        let expected = "<span class=\"t-keyword\">echo</span> <span class=\"t-text\">'&lt;b onclick=x&gt;'</span> \
            <span class=\"t-comment\"># \"&lt;/code&gt;</span>";
        assert!(html.contains(expected), "{html}");
        assert_eq!(html.matches("<span").count(), 3, "{html}");
    }

    #[test]
    fn a_table_and_a_task_list_are_shown() {
        let html = rendered("|a|b|\n|-|-|\n|1|2|\n\n- [x] done\n");
        assert!(html.contains("<td>1</td>"), "{html}");
        assert!(html.contains("<table tabindex=\"0\">"), "the keyboard scrolls it: {html}");
        assert!(html.contains("type=\"checkbox\""), "{html}");
    }

    #[rstest]
    #[case::quotes(">".repeat(40_000))]
    #[case::lists("- ".repeat(40_000))]
    #[case::tags("<b>".repeat(40_000))]
    #[case::divs("<div>".repeat(40_000))]
    #[case::emphasis("*a_".repeat(40_000))]
    #[case::brackets("[".repeat(100_000))]
    #[case::code(format!("```js\n{}", "1 ".repeat(120_000)))]
    #[case::too_long("word ".repeat(100_000))]
    fn a_hostile_text_takes_bounded_time(#[case] text: String) {
        let begin = std::time::Instant::now();
        let html = rendered(&text);
        assert!(html.len() < 64 * MAX_TEXT);
        assert!(begin.elapsed() < std::time::Duration::from_secs(2), "{:?}", begin.elapsed());
    }
}
