//! The forms about one skill. What is not lightly done opens first and then says what follows.

use kontor_registry::Version;
use kontor_types::{TagName, Visibility};
use maud::{Markup, html};

use super::super::{Before, address};
use super::{LONGEST, Sheet};
use crate::publish;

impl Sheet<'_> {
    fn form(&self, inner: &Markup) -> Markup {
        html! {
            form method="post" action={ (address(&self.desk.handle)) "/skills/" (self.skill.slug) } { (self.desk.hidden()) (inner) }
        }
    }

    pub(super) fn withdrawing(&self, version: &Version) -> Markup {
        let language = self.language;
        let number = version.number.to_string();
        let before = |deed: &str| Before::of(self.refused, deed, |submitted| submitted.version == number);
        let (yank, unyank) = (before("yank"), before("unyank"));
        let withdraw = language.pick("Withdraw", "撤回");
        self.form(&html! {
            input type="hidden" name="version" value=(number);
            @if version.yanked_at.is_some() {
                p.small { bdi { (version.yank_reason.as_deref().unwrap_or_default()) } }
                (unyank.said(language))
                button.quiet type="submit" name="deed" value="unyank" { (language.pick("Offer again", "恢复")) " " (number) }
            } @else {
                details open[yank.is_refused()] {
                    summary aria-label={ (withdraw) " " (number) } { (withdraw) }
                    p.small { (language.pick("Nobody gets it any more without naming this version; whoever has it active is told why. You can offer it again.", "除非指明此版本，否则无法再获取；已启用者会收到原因。之后可以恢复。")) }
                    (yank.said(language))
                    label.field { span { (language.pick("Why; users read it", "原因（用户会看到）")) }
                        input type="text" name="reason" value=(yank.typed(|submitted| &submitted.reason)) maxlength=(LONGEST) required
                            aria-invalid=[yank.invalid()] aria-describedby=[yank.about()];
                    }
                    button.danger type="submit" name="deed" value="yank" { (withdraw) " " (number) }
                }
            }
        })
    }

    pub(super) fn tags(&self) -> Markup {
        let language = self.language;
        let own = self.tags.iter().filter(|tag| tag.name != TagName::latest());
        let before = Before::of(self.refused, "tag", |_| true);
        html! {
            p { (language.pick("Who asks for a tag gets the version that it points to. The tag latest moves by itself.", "按标签获取时，得到标签所指的版本。latest 标签会自动移动。")) }
            ul.ended { @for tag in own { li {
                div { b { (tag.name) } " → " (tag.number) }
                (self.untagging(&tag.name))
            } } }
            (self.form(&html! {
                (before.said(language))
                label.field { span { (language.pick("Tag: a new one, or one to move", "标签：新建或移动")) }
                    input type="text" name="name" value=(before.typed(|submitted| &submitted.name)) maxlength="64" required placeholder="stable"
                        autocapitalize="none" spellcheck="false" aria-invalid=[before.invalid()] aria-describedby=[before.about()];
                }
                label.field { span { (language.pick("Points to", "指向")) }
                    select name="version" { @for version in self.versions {
                        option value=(version.number) selected[before.typed(|submitted| &submitted.version) == version.number.to_string()] { (version.number) }
                    } }
                }
                button.quiet type="submit" name="deed" value="tag" { (language.pick("Set the tag", "设置标签")) }
            }))
        }
    }

    fn untagging(&self, tag: &TagName) -> Markup {
        let language = self.language;
        let before = Before::of(self.refused, "untag", |submitted| submitted.name == tag.as_str());
        let remove = language.pick("Remove", "移除");
        html! {
            details open[before.is_refused()] {
                summary aria-label={ (remove) " " (tag) } { (remove) }
                p.small { (language.pick("Who asks for this tag then finds nothing. You can set it again.", "之后按此标签将找不到任何版本。可重新设置。")) }
                (self.form(&html! {
                    input type="hidden" name="name" value=(tag);
                    (before.said(language))
                    button.danger type="submit" name="deed" value="untag" { (remove) " " (tag) }
                }))
            }
        }
    }

    pub(super) fn visibility(&self) -> Markup {
        let language = self.language;
        let before = Before::of(self.refused, "visibility", |_| true);
        self.form(&html! {
            (before.said(language))
            label.field { span { (language.pick("From now on", "即刻起")) }
                select name="visibility" aria-invalid=[before.invalid()] aria-describedby=[before.about()] { @for one in Visibility::ALL {
                    option value=(one) selected[*one == self.skill.visibility] { (publish::sight(language, *one)) }
                } }
            }
            p.small.faint { (language.pick("Who may no longer see it keeps the copies they have. You can change it back.", "不再可见者仍保留已有副本。可以随时改回。")) }
            button.quiet type="submit" name="deed" value="visibility" { (language.pick("Save", "保存")) }
        })
    }

    pub(super) fn naming(&self) -> Markup {
        let language = self.language;
        let before = Before::of(self.refused, "rename", |_| true);
        let typed = before.typed(|submitted| &submitted.name);
        html! {
            details open[before.is_refused()] {
                summary { (language.pick("Give it another name", "更改名称")) }
                p { (language.pick("Its address changes; the old one leads there for ever, so nothing breaks for those who have it.", "地址会改变；旧地址将永久指向新地址，已有用户不受影响。")) }
                (self.form(&html! {
                    (before.said(language))
                    label.field { span { (language.pick("New name: small letters, digits, hyphens", "新名称：小写字母、数字、连字符")) }
                        input type="text" name="name" value=(if typed.is_empty() { self.skill.slug.as_str() } else { typed }) maxlength="64" required
                            autocapitalize="none" spellcheck="false" aria-invalid=[before.invalid()] aria-describedby=[before.about()];
                    }
                    button.danger type="submit" name="deed" value="rename" { (language.pick("Rename it", "更改名称")) }
                }))
            }
        }
    }

    pub(super) fn advice(&self) -> Markup {
        let language = self.language;
        let (before, after) =
            (Before::of(self.refused, "deprecate", |_| true), Before::of(self.refused, "undeprecate", |_| true));
        if self.skill.deprecated_at.is_some() {
            return self.form(&html! {
                p.note {
                    b { (language.words().deprecated) } " " bdi { (self.skill.deprecation_message.as_deref().unwrap_or_default()) }
                    @if let Some(other) = &self.skill.successor { br; (language.words().use_instead) " " (other) }
                }
                (after.said(language))
                button.quiet type="submit" name="deed" value="undeprecate" { (language.pick("Recommend it again", "恢复推荐")) }
            });
        }
        html! {
            details open[before.is_refused()] {
                summary { (language.pick("Say that it should no longer be used", "说明不应再使用")) }
                p { (language.pick("It stays where it is. Its page and every client warn of it, and whoever has it active is told. You can take it back.", "技能会保留。页面和客户端都会给出提示，已启用者会收到通知。之后可以恢复。")) }
                (self.form(&html! {
                    (before.said(language))
                    label.field { span { (language.pick("Why; users read it", "原因（用户会看到）")) }
                        textarea name="reason" maxlength=(LONGEST) required aria-invalid=[before.invalid()] aria-describedby=[before.about()] { (before.typed(|submitted| &submitted.reason)) }
                    }
                    label.field { span { (language.pick("What to use instead, if there is something", "替代技能（如有）")) }
                        input type="text" name="successor" value=(before.typed(|submitted| &submitted.successor)) maxlength="200" placeholder="@publisher/skill" autocapitalize="none" spellcheck="false";
                    }
                    button.danger type="submit" name="deed" value="deprecate" { (language.pick("Advise against it", "不再推荐使用")) }
                }))
            }
        }
    }
}
