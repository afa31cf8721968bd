//! Names and emails: real organisations, and texts that none of their names contains.

/// Other scripts, texts with a meaning to a database, and texts whose folded form is longer or
/// shorter.
pub const FOREIGN: &[(&str, &str)] = &[
    ("北京大学", "info@pku.example"),
    ("清华大学 工程系", "info@tsinghua.example"),
    ("国立台湾大学", "office@台湾.example"),
    ("東京大学", "info@u-tokyo.example"),
    ("北海道大学病院", "info@hokudai.example"),
    ("カガク株式会社", "info@kagaku.example"),
    ("かがく か\u{3099}く", "info@gakko.example"),
    ("서울대학교", "info@snu.example"),
    ("고려대학교 의료원", "info@korea.example"),
    ("Московский университет", "info@мгу.example"),
    ("Київський Політехнічний", "info@kpi.example"),
    ("Ёлка и Йод", "elka@yod.example"),
    ("Ὀδυσσεὺς Πανεπιστήμιο", "info@odysseus.example"),
    ("ΑΘΗΝΑ Ερευνητικό Κέντρο", "info@παράδειγμα.example"),
    ("جامعة القاهرة", "info@cairo.example"),
    ("مُحَمَّد وشركاه", "info@muhammad.example"),
    ("האוניברסיטה העברית", "info@huji.example"),
    ("दिल्ली विश्वविद्यालय", "info@delhi.example"),
    ("हिन्दी प्रचार सभा", "info@hindi.example"),
    ("จุฬาลงกรณ์มหาวิทยาลัย", "info@chula.example"),
    ("Đại học Bách khoa Hà Nội", "info@hust.example"),
    ("Łódź Łąka Żółw", "lodz@laka.example"),
    ("Großer Straßenbau Maßwerk", "strasse@gross.example"),
    ("İstanbul ıssız Işık", "istanbul@isik.example"),
    ("Ærø Ørsted Þór", "aero@orsted.example"),
    ("ﬁnanz ﬂuss Oﬃce", "ligatur@finanz.example"),
    ("Ｆｕｌｌ Ｗｉｄｔｈ ①", "full@width.example"),
    ("Smile 😀 & 👩‍👩‍👧 Co", "smile@emoji.example"),
    ("100 % Bio", "hundert@bio.example"),
    ("100% _Bio_", "hundred@bio2.example"),
    ("under_score __init__", "under_score@init.example"),
    (r"back\slash C:\dir\ \", "back@slash.example"),
    ("O'Neil \"and\" sons", "o'neil@sons.example"),
    ("O´Neil ´ ¨ sons", "oneil@acute.example"),
    ("AND OR NOT NEAR(x, 2)", "near@fts.example"),
    ("star* ^caret -minus +plus", "star*@glob.example"),
    ("[a-z]? {1} $1 ?1 :x @y", "a+b@bind.example"),
    ("é e\u{301} e\u{302}\u{301} \u{301}", "accents@marks.example"),
    ("ﷺ ½ ™ №", "signs@compat.example"),
    ("x", "x@x.example"),
    ("!bang !%! !_!", "bang!@escape.example"),
];

/// Real organisations: a name and an email.
pub fn organisations() -> Vec<(String, String)> {
    let text = include_str!("../../data/organisations.tsv");
    let roles = ["info", "office", "Contact", "hello"];
    let rows = text.lines().zip(roles.into_iter().cycle());
    rows.filter_map(|(line, role)| {
        let (name, rest) = line.split_once('\t')?;
        let domain = rest.split('\t').next().unwrap_or_default();
        Some((name.to_owned(), format!("{role}@{domain}")))
    })
    .collect()
}
