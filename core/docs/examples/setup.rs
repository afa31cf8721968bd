// What every operation's example works with. The generator puts a hidden line before each that takes
// this file in: CONTRIBUTING, "Add an operation".

use partnerkit::{
    Agency, ContactDraft, HashingCost, PhoneDraft, Platform, Reseller, ResellerDraft, Result,
};

/// The names that an example finds.
pub struct Scene {
    /// A platform in memory.
    pub platform: Platform,
    /// Its agency `northwind`.
    pub agency: Agency,
    /// The agency's one reseller, at the login domain `acme`.
    pub acme: Reseller,
    /// What acme signs in with.
    pub password: &'static str,
    /// The form of a reseller that is not there yet, at the login domain `globex`.
    pub form: ResellerDraft,
}

pub fn scene() -> Result<Scene> {
    let settings = Platform::builder().login_base("partner.example.com");
    let platform = settings.hashing_cost(HashingCost::FLOOR).open("memory:")?;
    let agency = platform.create_agency("northwind", None)?;
    let password = "plain teal walrus 94 umbrella";
    let acme = agency.create_reseller(ResellerDraft {
        password: password.into(),
        password_confirmation: password.into(),
        invite: false,
        ..form("Acme Télécom", "acme")
    })?;
    Ok(Scene { platform, agency, acme, password, form: form("Globex", "globex") })
}

fn form(name: &str, login_domain: &str) -> ResellerDraft {
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: name.into(),
        email: format!("owner@{login_domain}.example"),
        phone: PhoneDraft::national("US", "(415) 555-2671"),
        invite: true,
        contact: ContactDraft {
            name: "Ann Lee".into(),
            email: format!("ann@{login_domain}.example"),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: login_domain.into(),
        ..ResellerDraft::default()
    }
}
