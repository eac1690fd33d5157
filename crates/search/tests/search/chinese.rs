//! Chinese, alone and mixed with English.

use kontor_search::{Index, Query};
use kontor_types::{Viewer, Visibility};
use rstest::rstest;

use crate::world::{World, slugs};

fn index() -> Index {
    let mut world = World::new();
    let skills = [
        ("video-editor", "视频剪辑助手", "根据文字描述剪辑视频，添加字幕、转场和背景音乐，导出为 MP4。"),
        ("financial-report", "财务报表生成器", "把流水账 CSV 变成利润表、财务比率和图表，并解释差异。"),
        ("meeting-minutes", "会议纪要", "把会议录音转写整理成纪要、决议、负责人和截止日期。"),
        ("ad-copywriter", "广告文案", "根据产品简介写多个广告文案版本，检查各平台字数限制。"),
        ("shopping-advisor", "购物顾问", "比较商品报价，计算单价、运费和优惠券后的总价，给出购买建议。"),
        ("wechat-notify", "企业微信通知", "通过 webhook 把消息发送到企业微信群。"),
        ("k8s-logs", "Kubernetes 日志分析", "收集 Pod 日志，找出异常重启的原因。"),
        (
            "translator",
            "Technical translator",
            "Translate technical documents between English and Chinese, 保留术语和格式。",
        ),
        ("pdf-forms", "PDF forms", "Fill and flatten PDF forms, extract their fields."),
        ("paper-reader", "论文精读", "逐段解读学术论文，总结方法、实验与局限。"),
    ];
    for (slug, name, description) in skills {
        let document = world.add("acme", slug, description);
        name.clone_into(&mut document.display_name);
        document.body =
            format!("# {name}\n\n我们可以使用这个技能来完成你的任务。请先告诉我需要什么，然后开始。\n\n{description}");
    }
    let hidden = world.add("acme", "secret", "秘密项目的视频剪辑。");
    "秘密视频剪辑".clone_into(&mut hidden.display_name);
    hidden.visibility = Visibility::Private;
    world.index()
}

#[rstest]
#[case::words("剪辑视频", "video-editor")]
#[case::sentence("帮我把这个会议的录音整理成纪要，列出负责人", "meeting-minutes")]
#[case::question("怎么计算哪个商品加上运费更便宜？", "shopping-advisor")]
#[case::mixed("看看 Kubernetes 的 Pod 为什么重启", "k8s-logs")]
#[case::mixed_towards_english("帮我填写 PDF forms 里的字段", "pdf-forms")]
#[case::english_description("translate documents to Chinese", "translator")]
#[case::chinese_in_english_text("保留术语的翻译", "translator")]
#[case::name("会议纪要", "meeting-minutes")]
#[case::part_of_name("报表", "financial-report")]
#[case::part_across_words("论文精", "paper-reader")]
#[case::single_character("论", "paper-reader")]
#[case::single_character_of_name("购", "shopping-advisor")]
#[case::fullwidth("ＷＥＢＨＯＯＫ 通知", "wechat-notify")]
fn the_right_skill_comes_first(#[case] text: &str, #[case] expected: &str) {
    let hits = index().search(&Query::new(text, &Viewer::anonymous())).unwrap();
    assert_eq!(slugs(&hits).first().copied(), Some(expected), "{:?}", slugs(&hits));
    assert!(!slugs(&hits).contains(&"secret"));
}

#[rstest]
#[case("视频", "video-editor")]
#[case("财务报", "financial-report")]
#[case("剪", "video-editor")]
#[case("kubernetes 日", "k8s-logs")]
fn names_are_suggested_while_typing(#[case] typed: &str, #[case] expected: &str) {
    let suggestions = index().suggest(typed, &Viewer::anonymous(), 3).unwrap();
    assert_eq!(suggestions.first().map(|suggestion| suggestion.slug.as_str()), Some(expected), "{suggestions:?}");
}
