use kontor_types::Currency;

/// What a merchant sells, and on which terms. Amounts are minor units.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// What its quotes call it.
    pub id: String,
    /// What it is called before people.
    pub name: String,
    /// The currency of all of it.
    pub currency: Currency,
    /// The fee for bringing an order.
    pub delivery: i64,
    /// From which sum of lines on there is no fee.
    pub free_from: i64,
    /// What it sells.
    pub products: Vec<Product>,
    /// What takes something off.
    pub coupons: Vec<Coupon>,
}

/// One thing that is sold.
#[derive(Debug, Clone)]
pub struct Product {
    /// Its id.
    pub id: String,
    /// What it is called, in Chinese and English.
    pub title: String,
    /// What is said of it.
    pub description: String,
    /// What kind of thing it is.
    pub category: String,
    /// What one costs.
    pub price: i64,
    /// How much of what one is.
    pub unit: Option<(i64, String)>,
    /// How many there are.
    pub stock: i64,
}

/// Something that is taken off.
#[derive(Debug, Clone)]
pub struct Coupon {
    /// What is written into the order.
    pub code: String,
    /// What is said of it.
    pub text: String,
    /// What it takes off.
    pub minus: i64,
    /// What it takes off the lines, in percent.
    pub percent: i64,
    /// From which sum of lines on it counts.
    pub from: i64,
}

type Row = (&'static str, &'static str, &'static str, &'static str, i64, Option<(i64, &'static str)>);

const TEA_HOUSE: &[Row] = &[
    (
        "classic-milk-tea",
        "经典珍珠奶茶 Classic pearl milk tea",
        "红茶、鲜奶、黑糖珍珠。Black tea, fresh milk, brown sugar pearls.",
        "drinks",
        1_500,
        Some((500, "ml")),
    ),
    (
        "oolong-milk-tea",
        "大杯乌龙奶茶 Large oolong milk tea",
        "炭焙乌龙，少糖。Roasted oolong, little sugar.",
        "drinks",
        1_800,
        Some((700, "ml")),
    ),
    ("taro-milk-tea", "芋泥奶茶 Taro milk tea", "手捣芋泥。With mashed taro.", "drinks", 2_100, Some((500, "ml"))),
    ("jasmine-tea", "茉莉绿茶 Jasmine green tea", "无奶。Without milk.", "drinks", 1_000, Some((500, "ml"))),
    ("taro-cake", "芋泥蛋糕 Taro cake", "一块。One piece.", "food", 2_200, Some((120, "g"))),
];

const CORNER_SHOP: &[Row] = &[
    ("milk-tea-bottle", "瓶装奶茶 Bottled milk tea", "冷藏。Chilled.", "drinks", 900, Some((450, "ml"))),
    ("milk-tea-powder", "奶茶粉 Milk tea powder", "十条装。Ten sachets.", "drinks", 2_600, Some((10, "sachets"))),
    ("coffee", "美式咖啡 Americano", "现磨。Freshly ground.", "drinks", 1_200, Some((350, "ml"))),
    ("notebook", "笔记本 Notebook", "A5，80 页。A5, 80 pages.", "office", 1_500, Some((80, "pages"))),
    ("umbrella", "雨伞 Umbrella", "三折。Folds three times.", "household", 3_500, None),
];

impl Catalogue {
    /// Tea, milk tea and cake; brings for ¥4.
    pub fn tea_house(currency: Currency) -> Self {
        Self {
            id: "tea-house".to_owned(),
            name: "街角茶铺 Tea House".to_owned(),
            currency,
            delivery: 400,
            free_from: 3_000,
            products: TEA_HOUSE.iter().map(product).collect(),
            coupons: vec![coupon("MILK3", "满 15 减 3 / 3 off from 15", 300, 0, 1_500)],
        }
    }

    /// Bottles, coffee and things for the office; brings for ¥6.
    pub fn corner_shop(currency: Currency) -> Self {
        Self {
            id: "corner-shop".to_owned(),
            name: "便利小店 Corner Shop".to_owned(),
            currency,
            delivery: 600,
            free_from: 5_000,
            products: CORNER_SHOP.iter().map(product).collect(),
            coupons: vec![coupon("HELLO10", "新客九折 / 10 % off from 20", 0, 10, 2_000)],
        }
    }

    /// What these words find: all of them in the title, the description or the category.
    pub(crate) fn find(&self, query: &str) -> Vec<&Product> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().take(20).collect();
        let fits = |product: &&Product| {
            let text = format!("{} {} {} {}", product.id, product.title, product.description, product.category);
            let text = text.to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        self.products.iter().filter(fits).collect()
    }
}

fn product((id, title, description, category, price, unit): &Row) -> Product {
    Product {
        id: (*id).to_owned(),
        title: (*title).to_owned(),
        description: (*description).to_owned(),
        category: (*category).to_owned(),
        price: *price,
        unit: unit.map(|(quantity, unit)| (quantity, unit.to_owned())),
        stock: 1_000,
    }
}

fn coupon(code: &str, text: &str, minus: i64, percent: i64, from: i64) -> Coupon {
    Coupon { code: code.to_owned(), text: text.to_owned(), minus, percent, from }
}
