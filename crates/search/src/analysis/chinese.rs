use std::collections::HashSet;
use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::Style;

/// The dictionary of Chinese words: 30 MB, loaded when the first Chinese text comes.
static DICTIONARY: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Words of grammar and courtesy; they tell little of a task.
const FUNCTION_WORDS: &[&str] = &[
    "一下",
    "一个",
    "一些",
    "一样",
    "一直",
    "上面",
    "下面",
    "不是",
    "不能",
    "不要",
    "不用",
    "东西",
    "为什么",
    "为了",
    "之前",
    "之后",
    "事情",
    "什么",
    "他们",
    "以及",
    "以后",
    "以前",
    "任何",
    "但是",
    "你们",
    "你的",
    "全部",
    "关于",
    "其中",
    "其他",
    "再次",
    "出来",
    "刚才",
    "刚刚",
    "别的",
    "到底",
    "另外",
    "只是",
    "只有",
    "可以",
    "可能",
    "各个",
    "各种",
    "告诉",
    "咱们",
    "哪些",
    "哪个",
    "哪里",
    "因为",
    "因此",
    "大家",
    "大概",
    "她们",
    "如何",
    "如果",
    "它们",
    "对于",
    "已经",
    "帮忙",
    "帮我",
    "应该",
    "很多",
    "怎么",
    "怎么样",
    "怎样",
    "情况",
    "想要",
    "我们",
    "我的",
    "所以",
    "所有",
    "所有的",
    "才能",
    "按照",
    "接下来",
    "方式",
    "时候",
    "是不是",
    "是否",
    "有些",
    "有人",
    "有没有",
    "有点",
    "来说",
    "根据",
    "每个",
    "每次",
    "比如",
    "没有",
    "然后",
    "现在",
    "的话",
    "目前",
    "看看",
    "看到",
    "知道",
    "直接",
    "看起来",
    "等等",
    "类似",
    "给我",
    "而且",
    "能不能",
    "能够",
    "自己",
    "要求",
    "觉得",
    "请问",
    "起来",
    "这个",
    "这些",
    "这份",
    "这种",
    "这里",
    "进行",
    "还是",
    "还有",
    "那个",
    "那些",
    "那么",
    "那里",
    "都是",
    "里面",
    "问题",
    "需要",
    "非常",
    "麻烦",
    "不了",
    "不到",
    "以上",
    "以下",
    "通过",
];

static FUNCTION_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| FUNCTION_WORDS.iter().copied().collect());

/// Adds the words of a run of Chinese characters, long words also as the shorter ones within them.
pub fn push_words(run: &str, style: Style, terms: &mut Vec<String>) {
    let words = DICTIONARY.cut_for_search(run, false);
    terms.extend(words.iter().map(|token| token.word.to_owned()));
    if style == Style::Name {
        let singles = words.iter().filter(|token| token.word.chars().nth(1).is_some());
        terms.extend(singles.flat_map(|token| token.word.chars()).map(String::from));
    }
}

/// Whether words of Chinese are written with this character.
pub fn is_chinese(char: char) -> bool {
    matches!(char, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Whether the term is a Chinese word of grammar or courtesy, or a single character, which most often is one.
pub fn is_function_word(term: &str) -> bool {
    let mut chars = term.chars();
    let single = chars.next().is_some_and(is_chinese) && chars.next().is_none();
    single || FUNCTION_SET.contains(term)
}
