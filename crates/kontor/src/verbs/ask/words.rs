//! What `kontor ask` says itself, in both languages.

use kontor_types::WorkflowId;
use kontor_wire::{BoughtItem, ErrandLanguage, ErrandQuestion};

/// Sentences in one language.
#[derive(Debug, Clone, Copy)]
pub struct Words(pub ErrandLanguage);

impl Words {
    fn pick<T>(self, en: T, zh: T) -> T {
        match self.0 {
            ErrandLanguage::En => en,
            ErrandLanguage::Zh => zh,
        }
    }

    pub fn comes_back(self, id: WorkflowId) -> String {
        self.pick(
            format!("`kontor errand resume {id}` comes back to it"),
            format!("用 `kontor errand resume {id}` 回到这件事"),
        )
    }

    pub fn cancelling(self) -> String {
        self.pick("cancelling; what was begun is taken back".to_owned(), "正在取消，已开始的部分会撤回".to_owned())
    }

    pub const fn cancelled(self) -> &'static str {
        match self.0 {
            ErrandLanguage::En => "cancelled; nothing was bought and nothing is held",
            ErrandLanguage::Zh => "已取消：没有购买，也没有预留款项",
        }
    }

    pub fn signed(self) -> String {
        self.pick(
            "signed a mandate for this one purchase with your own key".to_owned(),
            "已用您自己的密钥为这一笔签署授权书".to_owned(),
        )
    }

    pub fn nobody_to_ask(self, question: &str) -> String {
        self.pick(
            format!("nobody is here to answer, so the errand was cancelled: {question}"),
            format!("没有人可以回答，已取消这件事：{question}"),
        )
    }

    pub fn how_to_answer(self, question: &ErrandQuestion) -> &'static str {
        match question.name.as_str() {
            "address" => self.pick("say where with --to ADDRESS", "用 --to 写明地址"),
            "skills" => self.pick("read the names, then add --yes", "看清技能名称后加 --yes"),
            _ => self.pick(
                "ask on a terminal, or within a mandate: `kontor mandate new`, then --mandate ID",
                "请在终端中使用，或先 `kontor mandate new` 再加 --mandate ID",
            ),
        }
    }

    pub fn bought(self, bought: &BoughtItem) -> String {
        let BoughtItem { quantity, title, merchant_name, total, deliver_to, order, .. } = bought;
        self.pick(
            format!(
                "Bought: {quantity} × “{title}” from “{merchant_name}” for {total}, to {deliver_to} (order {order})"
            ),
            format!("已购买：“{merchant_name}”的“{title}” × {quantity}，{total}，送到{deliver_to}（订单 {order}）"),
        )
    }

    pub fn look_again(self, id: WorkflowId, checkout: &str) -> String {
        self.pick(
            format!("`kontor explain {id}` tells why; `kontor receipt order {checkout}` fetches the receipt"),
            format!("`kontor explain {id}` 说明原因；`kontor receipt order {checkout}` 取回收据"),
        )
    }

    pub fn explain(self, id: WorkflowId) -> String {
        self.pick(format!("`kontor explain {id}` tells what happened"), format!("`kontor explain {id}` 说明经过"))
    }
}
