//! Search terms, chosen by the number of rows that have them.

use fastrand::Rng;
use partnerkit::ResellerDraft;

/// Names in languages that do not separate words.
const CJK: &[&str] = &[
    "北京大学",
    "清华大学",
    "上海交通大学",
    "复旦大学",
    "浙江大学",
    "南京大学",
    "武汉大学",
    "中山大学",
    "東京大学",
    "京都大学",
    "大阪大学",
    "早稲田大学",
    "慶應義塾大学",
    "北海道大学",
    "九州大学",
    "名古屋大学",
    "서울대학교",
    "고려대학교",
    "연세대학교",
    "부산대학교",
    "国立台湾大学",
    "香港中文大学",
    "四川大学",
    "厦门大学",
];
/// How many terms a class has.
pub const TERMS: usize = 12;

/// Gives a few of the rows a name without spaces; `start` is the place of the first one.
pub fn name_some_in_cjk(forms: &mut [ResellerDraft], start: usize) {
    for (i, form) in forms.iter_mut().enumerate().filter(|(i, _)| i % 50 == 7) {
        let (a, b) = (CJK[i % CJK.len()], CJK[(start / 1_000 + i / 50) % CJK.len()]);
        form.name = format!("{a}{b}{}", form.login_domain.len() % 7);
    }
}

/// Nearly the text in which a search looks.
pub fn text_of(form: &ResellerDraft) -> String {
    format!("{}\n{}", form.name, form.email).to_lowercase()
}

/// How many texts have every term.
pub fn matches(texts: &[String], terms: &str) -> usize {
    let terms: Vec<&str> = terms.split_whitespace().collect();
    texts.iter().filter(|text| terms.iter().all(|term| text.contains(term))).count()
}

/// Terms that occur about equally often.
pub struct Class {
    pub name: &'static str,
    pub terms: Vec<String>,
}

/// Terms from the texts, by the number of texts that have them.
pub fn classes(texts: &[String]) -> Vec<Class> {
    let mut random = Rng::with_seed(11);
    let probe: Vec<&String> =
        (0..texts.len().min(20_000)).map(|_| &texts[random.usize(..texts.len())]).collect();
    let share = |term: &str| {
        probe.iter().filter(|text| text.contains(term)).count() as f64 / probe.len() as f64
    };
    let mut pick =
        |name, length: &[usize], wanted: &dyn Fn(f64) -> bool, script: &dyn Fn(char) -> bool| {
            let mut terms = Vec::<String>::new();
            for _ in 0..4_000 {
                if terms.len() == TERMS {
                    break;
                }
                let text = &texts[random.usize(..texts.len())];
                let words: Vec<&str> = text.split_whitespace().collect();
                let word: Vec<char> = words[random.usize(..words.len())].chars().collect();
                let length = length[random.usize(..length.len())];
                if word.len() < length {
                    continue;
                }
                let start = random.usize(..word.len() - length + 1);
                let term: String = word[start..start + length].iter().collect();
                if term.chars().all(script) && wanted(share(&term)) && !terms.contains(&term) {
                    terms.push(term);
                }
            }
            Class { name, terms }
        };
    let any = |c: char| c.is_alphanumeric();
    let han = |c: char| c >= '\u{3000}';
    let mut classes = vec![
        pick("nearly every row", &[1, 2, 3], &|share| share > 0.4, &any),
        pick("common", &[3, 4, 5, 6], &|share| (0.01..0.2).contains(&share), &any),
        pick("rare", &[5, 6, 7, 8], &|share| share < 0.0005, &any),
        pick("two characters, common", &[2], &|share| share > 0.02, &any),
        pick("two characters, rare", &[2], &|share| share < 0.001, &any),
        pick("one character", &[1], &|_| true, &any),
        pick("CJK", &[1, 2, 3, 4], &|_| true, &han),
    ];
    let none = pick("none", &[5, 6, 7, 8], &|share| share < 0.01, &any);
    // The reversed letters of terms: their pieces are common, but the term does not occur.
    let reversed = none.terms.iter().map(|term| term.chars().rev().collect::<String>());
    let none =
        Class { name: "none", terms: reversed.filter(|term| matches(texts, term) == 0).collect() };
    let several = pick("several terms", &[3, 4], &|share| (0.001..0.3).contains(&share), &any);
    let pairs =
        several.terms.iter().zip(several.terms.iter().skip(1)).map(|(a, b)| format!("{a} {b}"));
    classes.push(none);
    classes.push(Class { name: "several terms", terms: pairs.collect() });
    classes
}
