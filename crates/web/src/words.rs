//! What the pages say, in both languages side by side, so that a change of one text sees the other.

use kontor_types::{Code, Scope, Timestamp};
use maud::{Markup, html};

use crate::Language;

/// Makes [`Words`] and its two editions from one table.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident: $english:literal | $chinese:literal,)+) => {
        /// The fixed texts of the pages in one language.
        #[derive(Debug, PartialEq, Eq)]
        pub struct Words {
            $($(#[doc = $doc])+ pub $name: &'static str,)+
        }

        const ENGLISH: Words = Words { $($name: $english,)+ };
        const CHINESE: Words = Words { $($name: $chinese,)+ };
        #[cfg(test)]
        const PAIRS: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $chinese)),+];
    };
}

words! {
    /// Leads past the header, for keyboards.
    skip: "Skip to the content" | "跳到正文",
    /// The name of the links to parts of the hub.
    site: "This hub" | "本技能中心",
    /// In the search field, and its name.
    find: "Find a skill" | "查找技能",
    /// The button beside it.
    search: "Search" | "搜索",
    /// At the end of every page.
    footer: "Kontor, a hub for agent skills" | "Kontor，智能体技能中心",
    /// The title of the home.
    skills: "Skills" | "技能",
    /// What the home lists.
    newest: "What changed last on this hub." | "本技能中心最近的更新。",
    /// A list that has nothing yet.
    empty: "Nothing here yet." | "这里还没有内容。",
    /// On the home of an empty hub.
    fill: "Bring the first skills in:" | "收取第一批技能：",
    /// A search without results.
    nothing_fits: "Nothing fits. Try fewer words, or other ones." | "没有符合的技能。请减少或更换词语。",
    /// Before a query with mended words.
    did_you_mean: "Did you mean" | "您要找的是不是",
    /// Leads to the next page of a list.
    more: "More skills" | "更多技能",
    /// On a skill of a list that should no longer be used.
    is_deprecated: "deprecated" | "已弃用",
    /// On the page of one's own publisher.
    this_is_you: "This is you." | "这是您自己。",
    /// Leads to where devices are approved and a session ends.
    devices: "Approve a device, or sign out" | "批准设备或退出登录",
    /// Before the command that installs all of a publisher's skills.
    install_all: "Install all of them" | "全部安装",
    /// After a description that the author did not write.
    derived: "(taken from the text: its author wrote none)" | "（取自正文：作者没有写描述）",
    /// Before the reason of a deprecation.
    deprecated: "Deprecated:" | "已弃用：",
    /// Before the successor.
    use_instead: "Use this in its place:" | "请改用：",
    /// On a skill that is not public.
    hidden: "Only some people see this skill." | "只有部分人能看到此技能。",
    /// Before the licence.
    licence: "Licence" | "许可",
    /// Where there is none.
    no_licence: "not stated" | "未注明",
    /// On a version that waits for its scan.
    unscanned: "This version waits to be scanned. Nobody else sees it until it is." | "此版本正在等待扫描，扫描完成之前其他人看不到它。",
    /// On a version in which nothing was found.
    scanned_clean: "The scanner of this hub examined every file and found no harm."
        | "本技能中心的扫描器检查了所有文件，没有发现危害。",
    /// On a version of which not all could be read.
    scanned_incomplete: "The scanner of this hub could not examine all of this version. Read it before you let an agent use it."
        | "本技能中心的扫描器未能检查此版本的全部内容。让智能体使用之前，请先读一读。",
    /// On a version with a finding of medium severity.
    scanned_suspicious: "The scanner of this hub found something to look at. Read it before you let an agent use it."
        | "本技能中心的扫描器发现了值得留意的内容。让智能体使用之前，请先读一读。",
    /// On a version with a grave finding.
    scanned_malicious: "The scanner of this hub found harm in this version. Do not let an agent use it."
        | "本技能中心的扫描器在此版本中发现了危害。请不要让智能体使用它。",
    /// On the page of a withdrawn version, before the reason.
    version_withdrawn: "This version was withdrawn." | "此版本已被撤回。",
    /// After it, before the newest number.
    newest_is: "The newest version is" | "最新版本是",
    /// On the page of an older version.
    not_newest: "This is not the newest version; that is" | "这不是最新版本；最新版本是",
    /// On a skill whose versions are all withdrawn.
    no_version: "No version of this skill can be had at the moment." | "此技能目前没有可用的版本。",
    /// Before the commands that install it.
    install: "Install" | "安装",
    /// Opens the commands of other clients.
    other_clients: "With clawhub, openclaw or skills" | "使用 clawhub、openclaw 或 skills",
    /// Before what is known of a version.
    about: "About this version" | "关于此版本",
    /// How often it was fetched.
    use_of_it: "Use" | "使用",
    /// How it stands to the open format.
    form: "Format" | "格式",
    /// It agrees with the format.
    valid: "valid by the open format" | "符合开放格式",
    /// It does not, but can be read.
    accepted: "accepted; not valid by the open format" | "已收取；不符合开放格式",
    /// Opens what was noticed about the form.
    noticed: "What was noticed" | "检查所见",
    /// Before other skills that it needs.
    needs: "Needs" | "需要",
    /// Before what it was seen to do.
    seen_in_runs: "Seen in runs here" | "运行中所见",
    /// Before hosts that it was kept from.
    refused: "was refused" | "连接被拒",
    /// Before how it ended.
    ended: "ended" | "结束于",
    /// Before what its program said that it misses.
    misses: "said that it misses" | "自称缺少",
    /// In the place of names that are not for this reader.
    unnamed: "others that its files do not name" | "其文件未提及的其他项",
    /// Before free words.
    keywords: "Keywords" | "关键词",
    /// Before the skill's own text.
    text: "What an agent reads" | "智能体读到的内容",
    /// At the end of a text that was cut.
    text_goes_on: "The text goes on: see the file." | "正文未完：请看文件。",
    /// In the place of an image.
    image: "image" | "图片",
    /// Before the list of files.
    files: "Files" | "文件",
    /// The column of file names.
    file: "File" | "文件",
    /// The column of sizes.
    size: "Size" | "大小",
    /// Before the publisher whose key signed it.
    signed: "Signed by" | "签名者",
    /// When that key was revoked before.
    signer_revoked: "Its publisher has revoked the key: do not believe this signature." | "发布者已吊销此密钥：请勿相信此签名。",
    /// Before the SHA-256 of the archive.
    digest: "Digest" | "摘要",
    /// Before the place where the bytes came from.
    origin: "Source" | "来源",
    /// Before the skill whose text it repeats.
    copy_of: "Copy of" | "副本，原作",
    /// Before the list of versions.
    versions: "Versions" | "版本历史",
    /// The column of version numbers.
    number: "Version" | "版本",
    /// The column of days.
    published: "Published" | "发布日期",
    /// The column of changelogs.
    changes: "What changed" | "变更",
    /// On a yanked version.
    withdrawn: "withdrawn" | "已撤回",
    /// On a version in the list that waits for its scan.
    state_pending: "not decided yet" | "尚未判定",
    /// On one that waits for a person.
    state_held: "held, not admitted" | "待审核，未放行",
    /// On one that was refused.
    state_rejected: "rejected" | "已拒绝",
    /// The page of an address that leads nowhere.
    not_found: "Not found" | "未找到",
    /// What it says.
    nothing_here: "There is nothing here that you may see. A private skill shows itself only to its members who are signed in."
        | "这里没有您可以查看的内容。私有技能只对已登录的成员可见。",
    /// Leads to the home.
    home: "Search the hub" | "搜索技能中心",
    /// The page of every other failure.
    failed: "This did not work" | "操作未成功",
    /// The page and the button that sign in.
    sign_in: "Sign in" | "登录",
    /// The field with the name that somebody has on the hub.
    own_name: "Your name on this hub" | "您在本技能中心的名称",
    /// The field with the password.
    password: "Password" | "密码",
    /// Either is not right; which one is not told.
    wrong_password: "The name or the password is wrong." | "名称或密码错误。",
    /// Too many wrong passwords.
    too_many_passwords: "Too many wrong passwords. Wait a few minutes, or come in by a one-time address, which always works."
        | "密码错误次数过多。请等几分钟再试，或使用一次性地址登录，一次性地址始终有效。",
    /// Above the other way in.
    sign_in_without: "Without a password" | "不使用密码",
    /// How to come by a link.
    sign_in_how: "On a machine where you are signed in, run the command below and open the address that it prints. It works once."
        | "在已登录的机器上运行以下命令，打开它给出的地址。该地址只能使用一次。",
    /// The button that ends a session.
    sign_out: "Sign out" | "退出登录",
    /// The title of the device page.
    approve_device: "Approve a device" | "批准设备",
    /// Who is not signed in cannot approve here.
    not_signed_in: "This browser is not signed in." | "此浏览器尚未登录。",
    /// First way.
    approve_there: "On a machine where you are signed in, either approve the device there:"
        | "在已登录的机器上，可以直接批准该设备：",
    /// Second way.
    approve_here: "or sign this browser in, and come back here:" | "也可以先让此浏览器登录，再回到这里：",
    /// What to type.
    type_code: "Type the code that the device shows." | "请输入设备上显示的代码。",
    /// The field's name.
    code: "Code" | "代码",
    /// To the second step.
    go_on: "Continue" | "继续",
    /// No sign-in waits for the typed code.
    wrong_code: "No sign-in waits for this code. Look at the device again; a code works for ten minutes."
        | "没有等待此代码的登录。请核对设备上的代码；代码十分钟内有效。",
    /// Too many wrong codes.
    too_many_codes: "Too many wrong codes. Wait ten minutes before the next." | "错误的代码太多。请等十分钟再试。",
    /// Warns of somebody else's device.
    approve_care: "The device chose that name itself. Approve only if you have just begun this sign-in and the device shows this code:"
        | "名称由设备自己填写。只有在您刚刚发起此次登录，并且设备显示此代码时，才可批准：",
    /// Before the list of rights.
    able_to: "It will be able to:" | "它将可以：",
    /// The button that approves.
    approve: "Approve" | "批准",
    /// The button that denies.
    deny: "Deny" | "拒绝",
    /// After an approval.
    approved: "Approved" | "已批准",
    /// What happens then.
    approved_rest: "The device is signed in within a few seconds. You can close this page." | "设备几秒内即可登录。可以关闭此页面。",
    /// After a denial.
    denied: "Denied" | "已拒绝",
    /// What happens then.
    denied_rest: "The device was turned away. You can close this page." | "已拒绝该设备。可以关闭此页面。",
}

/// Texts that hold a name or a number.
impl Language {
    /// The fixed texts.
    pub const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }

    /// How often something was downloaded.
    pub fn downloads(self, number: u64) -> String {
        self.counted(number, "download", "次下载")
    }

    /// How many people.
    pub fn people(self, number: u64) -> String {
        match (self, number) {
            (Self::English, 1) => "1 person".to_owned(),
            (Self::English, number) => format!("{number} people"),
            (Self::Chinese, number) => format!("{number} 人"),
        }
    }

    /// How many versions another policy would decide otherwise.
    pub fn changed(self, changed: u64, of: u64) -> String {
        match self {
            Self::English => format!("{changed} of {of} versions would be decided otherwise."),
            Self::Chinese => format!("{of} 个版本中有 {changed} 个的判定会改变。"),
        }
    }

    /// How many versions people could no longer install, or could from then on.
    pub fn installs_changed(self, lost: u64, won: u64) -> String {
        match self {
            Self::English => format!("Without signing in, {lost} could no longer be installed and {won} could be."),
            Self::Chinese => format!("未登录者将有 {lost} 个版本不能再安装，{won} 个版本可以安装。"),
        }
    }

    /// How many people are counted without their names.
    pub fn not_named(self, number: u64) -> String {
        match self {
            Self::English => format!("{} whose names only administrators see.", self.people(number)),
            Self::Chinese => format!("另有 {number} 人，仅管理员可见姓名。"),
        }
    }

    /// How often something was installed.
    pub fn installs(self, number: u64) -> String {
        self.counted(number, "install", "次安装")
    }

    /// How many like it.
    pub fn stars(self, number: u64) -> String {
        self.counted(number, "star", "颗星")
    }

    /// Leads to a search that is not narrowed to this.
    pub fn without(self, name: &str, value: &str) -> String {
        match self {
            Self::English => format!("{name} {value}: take it away"),
            Self::Chinese => format!("{name} {value}：取消"),
        }
    }

    /// How many other skills of the same publisher came with one.
    pub fn others_of(self, number: u64) -> String {
        match (self, number) {
            (Self::English, 1) => "and one more of theirs".to_owned(),
            (Self::English, _) => format!("and {number} more of theirs"),
            (Self::Chinese, _) => format!("另有该发布者的 {number} 个技能"),
        }
    }

    /// The name of the link to a line.
    pub fn line(self, number: usize) -> String {
        match self {
            Self::English => format!("Line {number}"),
            Self::Chinese => format!("第 {number} 行"),
        }
    }

    /// How many copies of it there are besides.
    pub fn copies(self, number: u64) -> String {
        match (self, number) {
            (Self::English, 1) => "and 1 copy".to_owned(),
            (Self::English, _) => format!("and {number} copies"),
            (Self::Chinese, _) => format!("另有 {number} 个副本"),
        }
    }

    /// How large it is.
    pub fn size_of(self, bytes: u64, files: u64) -> String {
        match self {
            Self::English => format!("{} in {}", size(bytes), self.counted(files, "file", "")),
            Self::Chinese => format!("{}，{files} 个文件", size(bytes)),
        }
    }

    /// That a list goes on.
    pub fn and_more(self, number: u64) -> String {
        match self {
            Self::English => format!("and {number} more"),
            Self::Chinese => format!("还有 {number} 个"),
        }
    }

    /// What a search found; `at_least` when more may fit than were counted.
    pub fn found(self, number: u64, at_least: bool) -> String {
        match (self, at_least) {
            (Self::English, false) => self.counted(number, "skill", ""),
            (Self::English, true) => format!("at least {}", self.counted(number, "skill", "")),
            (Self::Chinese, false) => format!("{number} 个技能"),
            (Self::Chinese, true) => format!("至少 {number} 个技能"),
        }
    }

    /// Whose link this is.
    pub fn sign_in_as(self, handle: &str) -> String {
        match self {
            Self::English => format!("Sign in as @{handle}"),
            Self::Chinese => format!("以 @{handle} 的身份登录"),
        }
    }

    /// Where the browser will be signed in.
    pub fn sign_in_at(self, host: &str) -> String {
        match self {
            Self::English => format!("This browser will be signed in to {host}."),
            Self::Chinese => format!("此浏览器将登录 {host}。"),
        }
    }

    /// Who is signed in.
    pub fn signed_in_as(self, handle: &str) -> String {
        match self {
            Self::English => format!("You are signed in as @{handle}."),
            Self::Chinese => format!("您已登录为 @{handle}。"),
        }
    }

    /// Asks about a device that goes by a name of its own choice.
    pub fn let_device_in(self, label: &str) -> Markup {
        let (before, after) = match self {
            Self::English => ("Let “", "” sign in as you?"),
            Self::Chinese => ("允许“", "”以您的身份登录吗？"),
        };
        html! { (before) bdi { (label) } (after) }
    }

    /// What a right lets a device do.
    pub const fn meaning(self, scope: Scope) -> &'static str {
        match scope {
            Scope::Read => self.pick("see and download the skills that you may see", "查看和下载您可以查看的技能"),
            Scope::Publish => self.pick("publish and change skills in your name", "以您的名义发布和更改技能"),
            Scope::Run => self.pick("start runs in your name", "以您的名义运行技能"),
            Scope::Models => self.pick("call models in your name", "以您的名义调用模型"),
            Scope::Review => self.pick("decide on held versions in your name", "以您的名义审核待定版本"),
            Scope::Admin => self.pick("manage everything that you may manage", "管理您可以管理的一切"),
        }
    }

    /// What went wrong, for those codes that pages answer with; the detail in English follows it.
    pub const fn failure(self, code: Code) -> Option<&'static str> {
        match (self, code) {
            (Self::English, _) => None,
            (Self::Chinese, Code::Unauthenticated) => Some("此操作需要有效的登录。"),
            (Self::Chinese, Code::Forbidden) => Some("您没有进行此操作的权限。"),
            (Self::Chinese, Code::WrongOrigin) => Some("请求不是来自本技能中心的页面。请返回、重新载入页面后再试。"),
            (Self::Chinese, Code::RateLimited) => Some("请求过多，请稍后再试。"),
            (Self::Chinese, Code::Unavailable) => Some("技能中心尚未就绪，请稍后再试。"),
            (Self::Chinese, _) => Some("技能中心未能完成此请求。"),
        }
    }

    fn counted(self, number: u64, english: &str, chinese: &str) -> String {
        match self {
            Self::English => format!("{number} {english}{}", if number == 1 { "" } else { "s" }),
            Self::Chinese => format!("{number} {chinese}"),
        }
    }
}

/// The day of a moment, in UTC.
pub fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

/// A moment to the minute, which machines read whole from its element.
pub fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    format!("{day} {time} UTC")
}

/// An amount of bytes as people read it.
pub fn size(bytes: u64) -> String {
    let tenths = |unit: u64| u128::from(bytes) * 10 / u128::from(unit);
    let shown = |unit: u64, name: &str| format!("{}.{} {name}", tenths(unit) / 10, tenths(unit) % 10);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => shown(1 << 10, "KiB"),
        _ => shown(1 << 20, "MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, PAIRS, size};

    #[test]
    fn every_text_is_there_in_both_languages() {
        for (name, english, chinese) in PAIRS {
            assert!(english.is_ascii() && !english.is_empty(), "{name}: {english}");
            assert!(chinese.chars().any(|char| ('\u{4e00}'..'\u{a000}').contains(&char)), "{name}: {chinese}");
        }
    }

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!([Language::English.stars(1), Language::English.stars(2)], ["1 star", "2 stars"]);
        assert_eq!(Language::Chinese.downloads(3), "3 次下载");
        assert_eq!([size(0), size(1536), size(7 << 20)], ["0 B", "1.5 KiB", "7.0 MiB"]);
    }
}
