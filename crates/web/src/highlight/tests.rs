use std::time::{Duration, Instant};

use rstest::rstest;

use super::*;

/// The marked stretches of a text, each as `kind:text`.
fn told(language: Language, text: &str) -> Vec<String> {
    let of = |token: &Token| format!("{}:{}", &token.kind.class()[2..], &text[token.at.clone()]);
    tokens(language, text, MOST).iter().map(of).collect()
}

#[rstest]
#[case(Language::Shell, "cd $HOME # go\necho 'a$b' \"x $y\"", &["keyword:cd", "name:$HOME", "comment:# go", "keyword:echo", "text:'a$b'", "text:\"x $y\""])]
#[case(Language::Shell, "a#b ${X} $é", &["name:${X}", "name:$é"])]
#[case(Language::Python, "def f(x):  # hi\n    return 'a\\'b', None, 3.5e3", &["keyword:def", "comment:# hi", "keyword:return", "text:'a\\'b'", "number:None", "number:3.5e3"])]
#[case(Language::Python, "x = \"\"\"a\nb\"\"\" + y", &["text:\"\"\"a\nb\"\"\""])]
#[case(Language::JavaScript, "const a = `x\n${b}`; /* c\nd */ let e", &["keyword:const", "text:`x\n${b}`", "comment:/* c\nd */", "keyword:let"])]
#[case(Language::Json, "{\"a\" : \"b\", \"c\": [1, true]}", &["name:\"a\"", "text:\"b\"", "name:\"c\"", "number:1", "number:true"])]
#[case(Language::Toml, "[tool.x]\nkey-one = \"v\" # c\n", &["heading:[tool.x]", "name:key-one", "text:\"v\"", "comment:# c"])]
#[case(Language::Yaml, "a-b: true\nc: 'd' # e\nf: x#y", &["name:a-b", "number:true", "name:c", "text:'d'", "comment:# e", "name:f"])]
#[case(Language::Rust, "fn f<'a>(x: &'a str) -> char { 'x' } // 'y'", &["keyword:fn", "text:'x'", "comment:// 'y'"])]
#[case(Language::Rust, "let n = '\\n'; let q = '\\''; let u = '\\u{7f}';", &["keyword:let", "text:'\\n'", "keyword:let", "text:'\\''", "keyword:let", "text:'\\u{7f}'"])]
#[case(Language::Markdown, "---\nname: x\n---\n# One\ntext `code` more\n```sh\ncd /\n```\n# Two", &["name:name", "heading:# One", "text:`code`", "comment:```sh", "keyword:cd", "comment:```", "heading:# Two"])]
#[case(Language::Markdown, "#no heading\n####### neither\n`open", &[])]
fn a_language_is_marked(#[case] language: Language, #[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(told(language, text), expected);
}

#[rstest]
#[case("scripts/run.sh", Some(Language::Shell))]
#[case("a b/c.PY", Some(Language::Python))]
#[case("Dockerfile", Some(Language::Shell))]
#[case("SKILL.md", Some(Language::Markdown))]
#[case("LICENSE", None)]
#[case("a.bin", None)]
fn a_file_is_of_a_language(#[case] path: &str, #[case] language: Option<Language>) {
    assert_eq!(Language::of_file(path), language);
}

#[test]
fn marks_never_lose_a_letter() {
    let text = "a \"b\nc\" d";
    let found = tokens(Language::Shell, text, MOST);
    assert_eq!(parts(text, 0..4, &found), [(None, "a "), (Some(Kind::Text), "\"b")]);
    assert_eq!(parts(text, 5..9, &found), [(Some(Kind::Text), "c\""), (None, " d")]);
    let escape = |part: &str| html! { (part) };
    assert_eq!(
        marked("'<b>'", &tokens(Language::Shell, "'<b>'", 9), escape).into_string(),
        "<span class=\"t-text\">'&lt;b&gt;'</span>"
    );
}

#[rstest]
fn a_hostile_text_takes_bounded_time_and_room(
    #[values(
        "1 ", "\"", "'", "`", "/*", "/* */ ", "${", "$", "#\n", "```\n", "\\", "a:", "[", "é", "\"\"\" ", "--- ",
        "# \n`", "/*\n", "\\`\n", "'''\n"
    )]
    one: &str,
    #[values("", "```js\n", "```py\n")] fence: &str,
) {
    let text = format!("{fence}{}", one.repeat(300_000 / one.len()));
    let languages = [
        Language::Shell,
        Language::Python,
        Language::JavaScript,
        Language::Json,
        Language::Toml,
        Language::Yaml,
        Language::Rust,
        Language::Braces,
        Language::Sql,
        Language::Markdown,
    ];
    for language in languages {
        let begun = Instant::now();
        let found = tokens(language, &text, MOST);
        assert!(found.len() <= MOST);
        let whole: String = parts(&text, 0..text.len(), &found).into_iter().map(|(_, part)| part).collect();
        assert!(whole == text, "{language:?} loses letters of {one:?}");
        assert!(found.windows(2).all(|pair| pair[0].at.end <= pair[1].at.start), "{language:?} {one:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{language:?} {one:?}: {:?}", begun.elapsed());
    }
}
