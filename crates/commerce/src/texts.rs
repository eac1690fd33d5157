//! Texts of merchants that speak to a program instead of a buyer. What such a text wants cannot be had anyway: the mandate, the
//! quote and the purse are asked after it. It is left out all the same, so that no model reads it, and told, so that people know.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::quote::shown;

/// Orders that no text which sells has a reason to give.
const ORDERS: &[&str] = &[
    "ignore previous",
    "ignore all",
    "ignore any",
    "ignore earlier",
    "ignore prior",
    "ignore your",
    "ignore the above",
    "ignore the instructions",
    "ignore the user",
    "ignore instructions",
    "disregard",
    "system prompt",
    "new instructions",
    "do not ask the user",
    "do not tell the user",
    "without asking the user",
    "pay to",
    "pay the merchant",
    "pay the money",
    "send the money",
    "send money",
    "send payment",
    "wire transfer",
    "wire the",
    "wire money",
    "transfer the money",
    "transfer the amount",
    "transfer money",
    "transfer funds",
    "transfer all",
    "iban",
    "bank account",
    "wallet address",
    "忽略之前",
    "忽略以上",
    "忽略所有",
    "忽略前面",
    "忽略先前",
    "忽略用户",
    "无视之前",
    "无视以上",
    "无视所有",
    "无视用户",
    "系统提示",
    "不要询问用户",
    "不要告诉用户",
    "转账",
    "汇款",
    "打款",
    "付款给",
    "付款到",
    "改为向",
    "收款账",
    "银行账号",
    "钱包地址",
];

/// Words that speak to a program.
const ADDRESSED: &[&str] = &[
    "assistant",
    "ai agent",
    "ai model",
    "agents:",
    "agent:",
    "language model",
    "llm",
    "chatbot",
    "instructions:",
    "助手",
    "智能体",
    "大模型",
    "语言模型",
];

/// What it is told to do then.
const DEEDS: &[&str] = &[
    "pay",
    "transfer",
    "send",
    "must",
    "pick this",
    "pick me",
    "choose this",
    "buy this",
    "order this",
    "instead",
    "confirm",
    "approve",
    "付款",
    "支付",
    "转",
    "必须",
    "选择",
    "购买",
    "下单",
    "确认",
    "批准",
];

/// Whether a text gives orders to programs.
pub fn gives_orders(text: &str) -> bool {
    let plain = folded(text);
    let any = |words: &[&str]| words.iter().any(|word| plain.contains(word));
    any(ORDERS) || (any(ADDRESSED) && any(DEEDS))
}

/// The text as it is read: one width, one case, one space between words, nothing that is not seen.
fn folded(text: &str) -> String {
    let seen = text.nfkc().filter(|char| !is_unseen(*char)).collect::<String>().to_lowercase();
    let words = seen.split(|char: char| char.is_whitespace() || char.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

const fn is_unseen(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e01ef}')
}

/// A text of a merchant that was left out, with what it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// The hub's name for the merchant.
    pub merchant: String,
    /// The merchant's id of the item, or the code of the coupon.
    pub about: String,
    /// Which text of it: `item`, `title`, `description`, `category`, `unit` or `coupon`.
    pub field: String,
    /// The text, cut short.
    pub text: String,
}

impl SetAside {
    /// The first of these texts that gives orders.
    pub(crate) fn first(merchant: &str, about: &str, texts: &[(&str, &str)]) -> Option<Self> {
        let (field, text) = texts.iter().find(|(_, text)| gives_orders(text))?;
        tracing::warn!(merchant, about = shown(about), field, "a merchant's text gives orders to programs");
        let field = (*field).to_owned();
        Some(Self { merchant: merchant.to_owned(), about: shown(about), field, text: shown(text) })
    }
}
