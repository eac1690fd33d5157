//! What people are told, in English and Chinese. Texts of strangers stand in quotation marks and on one line.

use kontor_types::Money;
use serde_json::Value;

use crate::Language;
use crate::errand::Purchase;
use crate::judge::{Misfit, Unfit};
use crate::offers::Refusal;
use crate::order::Quoted;
use crate::wish::clip;

/// What begins a line that only `kontor explain` shows: why another skill was not chosen.
pub const DETAIL: &str = "  ";

/// Sentences in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Say(pub Language);

impl Say {
    fn pick(self, en: impl Into<String>, zh: impl Into<String>) -> String {
        match self.0 {
            Language::En => en.into(),
            Language::Zh => zh.into(),
        }
    }

    pub fn ask_address(self) -> &'static str {
        self.0.pick("Where should it be delivered?", "送到哪里？")
    }

    pub fn no_address(self) -> String {
        self.pick("nobody said where it should be delivered", "没有给出收货地址")
    }

    pub fn ask_skills(self, names: &[&str]) -> String {
        let list = names.join(", ");
        self.pick(
            format!("May these skills, which you have not let run before, run in the sandbox for this errand: {list}?"),
            format!("是否允许以下您尚未允许过的技能在沙箱中为这件事运行：{list}？"),
        )
    }

    /// What the policy says, where it wants its person asked.
    pub fn wanted<'r>(self, reasons: impl Iterator<Item = &'r str>) -> String {
        let mut reasons: Vec<&str> = reasons.collect();
        reasons.sort_unstable();
        reasons.dedup();
        let text = clip(&reasons.iter().filter(|reason| !reason.is_empty()).copied().collect::<Vec<_>>().join("; "));
        match (reasons.is_empty(), text.is_empty()) {
            (true, _) => String::new(),
            (false, true) => self
                .pick(" The hub's policy lets no errand go on here by itself.", "本平台的策略不允许代办在此自行继续。"),
            (false, false) => self.pick(
                format!(" The hub's policy wants your word: {text}."),
                format!("本平台的策略需要您确认：{text}。"),
            ),
        }
    }

    pub fn skills_refused(self) -> String {
        self.pick("you did not let the skills run", "您没有允许这些技能运行")
    }

    pub fn not_answered(self) -> String {
        self.pick("nobody answered in time, so nothing was bought", "没有人及时回答，因此没有购买")
    }

    pub fn declined(self) -> String {
        self.pick("you did not confirm, so nothing was bought", "您没有确认，因此没有购买")
    }

    pub fn no_mandate(self) -> String {
        self.pick(
            "nothing is bought without a mandate; `kontor ask` signs one for exactly this purchase when you confirm",
            "没有授权书就不会购买；用 `kontor ask` 确认时会为这一笔签署授权书",
        )
    }

    pub fn ask_purchase(self, what: &Purchase<'_>, quoted: &Quoted) -> String {
        let (title, merchant) = (clip(what.title), clip(what.merchant));
        let (total, address, number) = (quoted.total, clip(what.address), what.quantity);
        let rose = if what.expected == quoted.total.to_string() {
            String::new()
        } else {
            let expected = &what.expected;
            self.pick(format!(" (the comparison expected {expected})"), format!("（比价时预计 {expected}）"))
        };
        self.pick(
            format!("Buy {number} × “{title}” from “{merchant}” for {total} in all{rose}, delivered to {address}?"),
            format!("是否购买“{merchant}”的“{title}” × {number}，共 {total}{rose}，送到{address}？"),
        )
    }

    pub fn insufficient_funds(self, quoted: &Quoted) -> String {
        let (total, free) = (quoted.total, quoted.free);
        self.pick(
            format!(
                "it costs {total} and {free} is free in your purse; an administrator tops it up with `kontor purse top-up`"
            ),
            format!("需要 {total}，钱包可用余额为 {free}；请管理员用 `kontor purse top-up` 充值"),
        )
    }

    pub fn nothing_found(self, words: &[String]) -> String {
        let words = words.iter().map(|word| clip(word)).collect::<Vec<_>>().join(", ");
        self.pick(
            format!("no merchant of this hub offers: {words}; try other words, or see `kontor merchant list`"),
            format!("本平台的商家没有：{words}；请换个说法，或用 `kontor merchant list` 查看商家"),
        )
    }

    /// Why something foreign was not followed.
    pub fn refusal(self, refusal: &Refusal) -> String {
        let (about, text) = (&refusal.about, &refusal.text);
        match refusal.code.as_str() {
            "product_text" => self.pick(
                format!("The offer {about} was left out: its text gives orders to programs (“{text}”)."),
                format!("已排除报价 {about}：其文字在向程序下指令（“{text}”）。"),
            ),
            "unknown_offer" => self.pick(
                format!("The model named something that is not among the offers (“{text}”); it was not followed."),
                format!("模型给出的内容不在报价之中（“{text}”），未被采纳。"),
            ),
            "over_limit" => {
                self.pick(format!("{text} is more than you said may be spent."), format!("{text} 超过了您说的上限。"))
            }
            "no_order" => self.pick(format!("No order was written: {text}"), format!("没有写出订单：{text}")),
            code => self.pick(
                format!("The written order differs from what was chosen ({code}: “{text}”), so nothing was ordered."),
                format!("写出的订单与所选不一致（{code}：“{text}”），因此没有下单。"),
            ),
        }
    }

    /// One entry of the journal in sentences; nothing for what people need not see.
    pub fn entry(self, kind: &str, name: &str, data: &Value) -> Vec<String> {
        match kind {
            "started" => vec![self.pick("The errand is accepted.", "已接受这件事。")],
            "step" => self.step(name, data),
            "failed" => {
                let why = clip(data.get("message").and_then(Value::as_str).unwrap_or_default());
                vec![self.pick(
                    format!("“{name}” did not work yet ({why}); it is tried again."),
                    format!("“{name}”暂未成功（{why}），将重试。"),
                )]
            }
            "chosen" => self.chosen(name, data),
            "told" => self.told(data),
            "asked" => vec![clip(data.get("text").and_then(Value::as_str).unwrap_or_default())],
            "sealed" => vec![self.pick("From here on it can no longer be cancelled.", "从这里起不能再取消。")],
            "cancelling" => vec![
                self.pick("It is being cancelled; what was begun is taken back.", "正在取消，已开始的部分会撤回。"),
            ],
            _ => Vec::new(),
        }
    }

    fn step(self, name: &str, data: &Value) -> Vec<String> {
        if let Some(error) = data.get("error").filter(|error| error.is_object()) {
            let text = |key: &str| clip(error.get(key).and_then(Value::as_str).unwrap_or_default());
            return vec![self.error(&text("code"), &text("message"))];
        }
        let output = data.get("output").unwrap_or(&Value::Null);
        match name {
            "understand" => self.understood(output),
            "discover" => self.discovered(output),
            "run to find" => {
                let offers = output.pointer("/answer/offers").and_then(Value::as_array).map_or(0, Vec::len);
                let mut told = vec![
                    self.ran(output, &self.pick(format!("{offers} offers found"), format!("找到 {offers} 个报价"))),
                ];
                told.extend(self.silent(output));
                told
            }
            "run to compare" => vec![self.ran(output, &self.compared(output))],
            "pick" => {
                let text = |key: &str| clip(output.get(key).and_then(Value::as_str).unwrap_or_default());
                let (offer, reason) = (text("offer"), text("reason"));
                let why = if reason.is_empty() {
                    String::new()
                } else {
                    self.pick(format!(" (“{reason}”)"), format!("（“{reason}”）"))
                };
                vec![self.pick(format!("Picked: {offer}{why}."), format!("选定：{offer}{why}。"))]
            }
            "run to order" => vec![self.ran(output, &self.pick("the order is written", "订单已写好"))],
            "quote" => {
                let total = money(output.get("total")).map(|total| total.to_string()).unwrap_or_default();
                vec![self.pick(format!("The merchant quotes {total}, signed."), format!("商家签名报价 {total}。"))]
            }
            "mandate" => vec![self.pick("The mandate is accepted.", "授权书已接受。")],
            "reserve" => vec![self.pick("The money is held.", "款项已预留。")],
            "pay" => vec![self.pick("Paid.", "已付款。")],
            "receipt" => vec![self.pick("The receipt is signed.", "收据已签名。")],
            "cancel the checkout" => {
                vec![self.pick("The checkout is cancelled; nothing is held.", "结算已取消，没有预留款项。")]
            }
            _ => Vec::new(),
        }
    }

    fn understood(self, output: &Value) -> Vec<String> {
        let wish = output.get("wish").unwrap_or(&Value::Null);
        let words: Vec<&str> =
            wish.get("words").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let words = clip(&words.join(", "));
        let number = wish.get("quantity").and_then(Value::as_u64).unwrap_or(1);
        let most = money(wish.get("at_most"))
            .map(|most| self.pick(format!(", at most {most}"), format!("，最多 {most}")))
            .unwrap_or_default();
        let place = wish.get("deliver_to").and_then(Value::as_str).map(clip);
        let place = place.map(|place| self.pick(format!(", to {place}"), format!("，送到{place}"))).unwrap_or_default();
        vec![self.pick(
            format!("Understood: {number} × {words}{most}{place}."),
            format!("理解为：{words} × {number}{most}{place}。"),
        )]
    }

    fn discovered(self, output: &Value) -> Vec<String> {
        let shops = output.get("shops").and_then(Value::as_array).map_or(0, Vec::len);
        let found = output.get("candidates").and_then(Value::as_object);
        let found: usize = found.into_iter().flatten().filter_map(|(_, list)| list.as_array().map(Vec::len)).sum();
        vec![self.pick(
            format!("{found} skills of the registry and {shops} merchants come into question."),
            format!("登记处有 {found} 个候选技能，共 {shops} 家商家。"),
        )]
    }

    fn ran(self, output: &Value, what: &str) -> String {
        let text = |key: &str| clip(output.get(key).and_then(Value::as_str).unwrap_or_default());
        let (skill, run) = (text("skill"), text("run"));
        self.pick(
            format!("{skill} ran in the sandbox (run {run}): {what}"),
            format!("{skill} 已在沙箱中运行（运行 {run}）：{what}"),
        )
    }

    /// What a comparison came to, by its numbers and not in the skill's own words.
    fn compared(self, output: &Value) -> String {
        let rows = output.pointer("/answer/ranked").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let fits = rows.iter().filter(|row| row.get("fits") == Some(&Value::Bool(true))).count();
        let all = rows.len();
        let best = output.pointer("/answer/advice/best").filter(|best| best.is_string());
        let Some(row) = best.and_then(|best| rows.iter().find(|row| row.get("offer_id") == Some(best))) else {
            return self.pick(format!("none of {all} offers fits"), format!("{all} 个报价都不符合"));
        };
        let text = |key: &str| clip(row.get(key).and_then(Value::as_str).unwrap_or_default());
        let (title, shop) = (text("title"), text("shop_name"));
        let total = priced(row.get("total")).map(|total| total.to_string()).unwrap_or_default();
        self.pick(
            format!("{fits} of {all} offers fit; it advises “{title}” from “{shop}” for {total} in all"),
            format!("{all} 个报价中有 {fits} 个符合；建议“{shop}”的“{title}”，共 {total}"),
        )
    }

    fn silent(self, output: &Value) -> Vec<String> {
        let sources = output.pointer("/answer/sources").and_then(Value::as_array).into_iter().flatten();
        let silent = sources.filter(|source| source.get("state").and_then(Value::as_str) == Some("silent"));
        silent
            .map(|source| {
                let text = |key: &str| clip(source.get(key).and_then(Value::as_str).unwrap_or_default());
                let (shop, why) = (text("shop"), text("text"));
                self.pick(format!("The merchant {shop} {why}."), format!("商家 {shop} {why}。"))
            })
            .collect()
    }

    fn chosen(self, name: &str, data: &Value) -> Vec<String> {
        let chosen = data.get("chosen").and_then(Value::as_str);
        let part = self.part(name);
        let mut told = vec![match chosen {
            Some(skill) => {
                let total =
                    candidate(data, skill).and_then(|one| one.pointer("/marks/marks/total")?.as_u64()).unwrap_or(0);
                self.pick(
                    format!("Chosen to {part}: {skill}, {total} of 100 marks."),
                    format!("选用{part}：{skill}，{total} 分（满分 100）。"),
                )
            }
            None => {
                self.pick(format!("No skill of this hub may be used to {part}."), format!("没有可用于{part}的技能。"))
            }
        }];
        let candidates = data.get("candidates").and_then(Value::as_array).into_iter().flatten();
        for one in candidates {
            let name = clip(one.get("name").and_then(Value::as_str).unwrap_or_default());
            if Some(name.as_str()) != chosen {
                told.push(format!("{DETAIL}{}", self.not_chosen(&name, one)));
            }
        }
        told
    }

    fn not_chosen(self, name: &str, one: &Value) -> String {
        let facts = |key: &str| one.pointer(&format!("/marks/facts/{key}")).cloned().unwrap_or_default();
        let list = |key: &str| {
            let value = facts(key);
            let items = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(clip);
            items.collect::<Vec<_>>().join(", ")
        };
        let Some(ground) = one.get("refused").and_then(Value::as_str) else {
            let total = one.pointer("/marks/marks/total").and_then(Value::as_u64).unwrap_or(0);
            return self.pick(format!("{name}: fewer marks ({total})"), format!("{name}：分数较低（{total}）"));
        };
        let why = match ground {
            "malicious" => self.pick("the scanner holds it harmful", "扫描判定为有害"),
            "suspicious" => self.pick("the scanner found something suspicious in it", "扫描发现可疑之处"),
            "forbidden" => {
                let why = facts("forbidden").as_str().map(clip).unwrap_or_default();
                self.pick(format!("the policy does not let you run it ({why})"), format!("策略不允许您运行它（{why}）"))
            }
            "secrets" => self.pick(
                format!("it asks for secrets ({})", list("secrets")),
                format!("它要求获得密钥（{}）", list("secrets")),
            ),
            "network" => self.pick(
                format!("it asks for connections that this step does not need ({})", list("network")),
                format!("它要求此步骤不需要的网络连接（{}）", list("network")),
            ),
            "misfit" => {
                let value = facts("misfit");
                let told = value.as_array().into_iter().flatten().filter_map(|one| self.misfit(one));
                let told = told.collect::<Vec<_>>().join(self.0.pick("; ", "；"));
                self.pick(format!("it does not fit this step ({told})"), format!("它不适合此步骤（{told}）"))
            }
            "deprecated" => self.pick("its publisher has withdrawn it", "发布者已弃用"),
            other => other.to_owned(),
        };
        self.pick(format!("refused {name}: {why}"), format!("排除 {name}：{why}"))
    }

    /// Why one tool does not fit, without what a schema's validator says of it.
    fn misfit(self, one: &Value) -> Option<String> {
        let Misfit { tool, why, place, .. } = serde_json::from_value(one.clone()).ok()?;
        let tool = clip(tool.as_deref().unwrap_or_default());
        let at = place.as_deref().map(clip).unwrap_or_default();
        let at = if at.is_empty() { at } else { self.pick(format!(", at {at}"), format!("（{at}）")) };
        Some(match why {
            Unfit::NoTool => self.pick("it declares no tool", "它没有声明工具"),
            Unfit::NoSchema => self.pick(
                format!("its tool {tool} does not say what it takes and answers"),
                format!("其工具 {tool} 没有说明输入和输出"),
            ),
            Unfit::BrokenSchema => self.pick(
                format!("what its tool {tool} says of itself cannot be read{at}"),
                format!("其工具 {tool} 的说明无法读取{at}"),
            ),
            Unfit::Input => self.pick(
                format!("its tool {tool} does not take what this step gives{at}"),
                format!("其工具 {tool} 不接受此步骤给出的内容{at}"),
            ),
            Unfit::Output => self.pick(
                format!("its tool {tool} does not answer what the next step needs{at}"),
                format!("其工具 {tool} 不能给出下一步所需的内容{at}"),
            ),
            Unfit::Anything => {
                self.pick(format!("its tool {tool} may answer anything"), format!("其工具 {tool} 可能给出任何内容"))
            }
        })
    }

    fn part(self, name: &str) -> String {
        match name {
            "skill to find" => self.pick("find offers", "查找报价"),
            "skill to compare" => self.pick("compare them", "比较报价"),
            "skill to order" => self.pick("write the order", "写订单"),
            other => other.to_owned(),
        }
    }

    fn told(self, data: &Value) -> Vec<String> {
        let refused = data.get("refused").and_then(Value::as_array).into_iter().flatten();
        refused
            .map(|one| {
                if let Ok(refusal) = serde_json::from_value::<Refusal>(one.clone()) {
                    return self.refusal(&refusal);
                }
                let text = |key: &str| clip(one.get(key).and_then(Value::as_str).unwrap_or_default());
                let (what, said) = (text("what"), text("text"));
                self.pick(
                    format!("The model wrote something that you did not say ({what}: “{said}”); it was not taken."),
                    format!("模型写了您没有说过的内容（{what}：“{said}”），未被采纳。"),
                )
            })
            .collect()
    }

    /// Why an errand ended without a purchase.
    pub fn error(self, code: &str, message: &str) -> String {
        let message = clip(message);
        match code {
            "not_a_purchase" => self.pick(
                format!("This does not ask for something to be bought (“{message}”); say what to order, for example: order me a milk tea under ¥20 to the office"),
                format!("这不是一个购买请求（“{message}”）；请说要买什么，例如：帮我点一杯二十元以内的奶茶送到办公室"),
            ),
            "not_understood" => self.pick(
                format!("The model did not answer in the form that was asked for ({message}); try again, or name another with --model"),
                format!("模型没有按要求的格式回答（{message}）；请重试，或用 --model 换一个模型"),
            ),
            "nothing_fits" => self.pick(format!("No offer meets the request: {message}"), format!("没有报价符合要求：{message}")),
            "no_merchants" => self.pick(
                "This hub knows no merchant; an administrator adds one with `kontor merchant add`, or try `kontor demo merchants --register`",
                "本平台还没有商家；请管理员用 `kontor merchant add` 添加，或用 `kontor demo merchants --register` 试用",
            ),
            "no_skill" => self.pick(
                format!("No skill of this hub may do a step ({message}); `kontor explain` says why each was refused"),
                format!("没有技能可以完成某一步（{message}）；`kontor explain` 会说明每个被排除的原因"),
            ),
            "skill_gone" => self.pick(
                format!("{message} was held or taken away after it was chosen, so it was not run and nothing was bought; ask again, and another skill is looked for"),
                format!("{message} 在选定之后被暂停或撤下，因此没有运行，也没有购买；请重新提出，将另找技能"),
            ),
            "skill_withdrawn" => self.pick(
                format!("the publisher of {message} withdrew it after it was chosen, so it was not run and nothing was bought; ask again, and another skill is looked for"),
                format!("{message} 在选定之后被发布者撤回，因此没有运行，也没有购买；请重新提出，将另找技能"),
            ),
            "skill_changed" => self.pick(
                format!("{message} is no longer what was chosen, so it was not run and nothing was bought; ask again"),
                format!("{message} 已不是选定时的内容，因此没有运行，也没有购买；请重新提出"),
            ),
            "skill_forbidden" => self.pick(
                format!("the policy does not let you run what was chosen ({message}), so nothing was bought"),
                format!("策略不允许您运行选定的技能（{message}），因此没有购买"),
            ),
            "run_failed" => self.pick(
                format!("a skill did not come to its end ({message}), so nothing was bought"),
                format!("有技能没有正常结束（{message}），因此没有购买"),
            ),
            "does_not_fit" => self.pick(
                format!("a skill does not take what the step before answered ({message}), so nothing was bought"),
                format!("技能不接受上一步的结果（{message}），因此没有购买"),
            ),
            _ if message.is_empty() => code.to_owned(),
            _ => message,
        }
    }
}

fn candidate<'d>(data: &'d Value, name: &str) -> Option<&'d Value> {
    data.get("candidates")?.as_array()?.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(name))
}

/// An amount that may be written out beside.
fn priced(value: Option<&Value>) -> Option<Money> {
    let currency = value?.get("currency")?.as_str()?.parse().ok()?;
    Some(Money { currency, minor: value?.get("minor")?.as_i64()? })
}

fn money(value: Option<&Value>) -> Option<Money> {
    serde_json::from_value(value?.clone()).ok()
}
