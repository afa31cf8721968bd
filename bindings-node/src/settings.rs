//! The settings of a platform, given by name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use napi::bindgen_prelude::{
    Array, FromNapiValue, JsObjectValue, Object, TypedArray, TypedArrayType, Uint8Array,
};
use napi::{JsValue, Unknown, ValueType};
use partnerkit::{
    Clock, Code, FieldError, HashingCost, LegacyVerifier, LoginDomainPolicy, PasswordPolicy,
    Platform, PlatformBuilder, Quarantine, SystemClock, Timestamp,
};

use crate::error::{Failure, Refused};
use crate::given::{Argument, Read, argument, wrong};
use crate::storage::Calls;
use crate::value::Js;

const SETTINGS: &[&str] = &[
    "loginBase",
    "loginDomains",
    "reserve",
    "reserveOnly",
    "quarantine",
    "secondFactor",
    "hashing",
    "hashingCost",
    "peppers",
    "legacyVerifier",
    "signInLimit",
    "signInDelayFrom",
    "sourceLimit",
    "secrets",
    "keepIdempotencyKeys",
    "keepChanges",
    "usageLateness",
    "clock",
];

/// The builder of a platform with these settings; unknown names are refused. The functions among them
/// are called through `functions`.
pub fn settings(
    given: &Object<'_>,
    functions: impl Fn() -> napi::Result<Calls>,
) -> Read<PlatformBuilder> {
    only(given, SETTINGS)?;
    let mut builder = Platform::builder().login_domain_policy(login_domains(given)?);
    if let Some(domain) = get::<String>(given, "loginBase")? {
        builder = builder.login_base(domain);
    }
    if get(given, "secondFactor")?.unwrap_or(false) {
        builder = builder.password_policy(PasswordPolicy::with_mfa());
    }
    builder = passwords(builder, given, &functions)?;
    if let Some(failures) = number(given, "signInLimit")? {
        builder = builder.sign_in_limit(failures);
    }
    if let Some(failures) = number(given, "signInDelayFrom")? {
        builder = builder.sign_in_delay_from(failures);
    }
    if let Some([burst, every]) = numbers(given, "sourceLimit", ["burst", "every"])? {
        let burst = u32::try_from(burst).map_err(|_| out_of_range("sourceLimit.burst"))?;
        builder = builder.source_limit(burst, Duration::from_millis(every));
    }
    for (id, secret) in keys(given, "secrets")? {
        let secret = secret.try_into().map_err(|_| {
            let of = format!("secrets.{id}: a platform's secret must have exactly 32 bytes");
            Failure::configuration(of)
        })?;
        builder = builder.secret(id, secret);
    }
    if let Some(kept) = number(given, "keepIdempotencyKeys")? {
        builder = builder.keep_idempotency_keys(Duration::from_millis(kept));
    }
    if let Some(kept) = number(given, "keepChanges")? {
        builder = builder.keep_changes(Duration::from_millis(kept));
    }
    if let Some(most) = number(given, "usageLateness")? {
        builder = builder.usage_lateness(Duration::from_millis(most));
    }
    if let Some(clock) = present(given, "clock")? {
        of_type("clock", clock, ValueType::Function, "a function")?;
        builder =
            builder.clock(Arc::new(JsClock { calls: functions()?, own: thread::current().id() }));
    }
    Ok(builder)
}

fn passwords(
    mut builder: PlatformBuilder,
    given: &Object<'_>,
    functions: &impl Fn() -> napi::Result<Calls>,
) -> Read<PlatformBuilder> {
    if let Some([at_once, queue]) = numbers(given, "hashing", ["atOnce", "queue"])? {
        builder = builder.hashing(at_once as usize, queue as usize);
    }
    if let Some(cost) = numbers(given, "hashingCost", ["memory", "passes", "lanes"])? {
        let cost: Result<Vec<_>, _> = cost.into_iter().map(u32::try_from).collect();
        let cost = cost.map_err(|_| out_of_range("hashingCost"))?;
        let &[memory, passes, lanes] = &*cost else { unreachable!("there are three names") };
        builder = builder.hashing_cost(HashingCost::new(memory, passes, lanes)?);
    }
    for (id, key) in keys(given, "peppers")? {
        builder = builder.pepper(id, key);
    }
    if let Some(verifier) = present(given, "legacyVerifier")? {
        of_type("legacyVerifier", verifier, ValueType::Object, "an object with functions")?;
        for name in ["recognises", "verify"] {
            let function = object(verifier)?.get_named_property(name)?;
            of_type(
                &format!("legacyVerifier.{name}"),
                function,
                ValueType::Function,
                "a function",
            )?;
        }
        builder = builder.legacy_verifier(Arc::new(JsVerifier(functions()?)));
    }
    Ok(builder)
}

fn login_domains(given: &Object<'_>) -> Read<LoginDomainPolicy> {
    let mut policy = match get::<String>(given, "loginDomains")?.as_deref() {
        None | Some("letters") => LoginDomainPolicy::letters(),
        Some("dns") => LoginDomainPolicy::dns(),
        Some(_) => return Err(one_of("loginDomains", "'letters', 'dns'").into()),
    };
    if let Some(labels) = get::<Vec<String>>(given, "reserveOnly")? {
        policy = policy.reserve_only(labels);
    }
    if let Some(labels) = get::<Vec<String>>(given, "reserve")? {
        policy = policy.reserve(labels);
    }
    if let Some(quarantine) = present(given, "quarantine")? {
        let quarantine = match quarantine.get_type()? {
            ValueType::Number => Quarantine::Days(of_setting("quarantine", quarantine)?),
            _ => match &*typed::<String>("quarantine", quarantine)? {
                "immediately" => Quarantine::Immediately,
                "never" => Quarantine::Never,
                _ => {
                    return Err(
                        one_of("quarantine", "'immediately', 'never', a number of days").into()
                    );
                }
            },
        };
        policy = policy.quarantine(quarantine);
    }
    Ok(policy)
}

/// A setting by name; `None` if it is not given.
fn present<'env>(given: &Object<'env>, name: &str) -> Read<Option<Unknown<'env>>> {
    let value: Unknown<'_> = given.get_named_property(name)?;
    let is_there = !matches!(value.get_type()?, ValueType::Undefined | ValueType::Null);
    Ok(is_there.then_some(value))
}

fn get<T: Setting>(given: &Object<'_>, name: &str) -> Read<Option<T>> {
    present(given, name)?.map(|value| typed(name, value)).transpose()
}

/// The type of a setting. Another one is a mistake of the program, unlike in an operation's argument.
pub trait Setting: Argument {
    const EXPECTED: &str;

    fn fits(value: Unknown<'_>) -> napi::Result<bool>;
}

impl Setting for String {
    const EXPECTED: &str = "a string";

    fn fits(value: Unknown<'_>) -> napi::Result<bool> {
        Ok(value.get_type()? == ValueType::String)
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &str = "an array of strings";

    fn fits(value: Unknown<'_>) -> napi::Result<bool> {
        if !value.is_array()? {
            return Ok(false);
        }
        let items: Array<'_> = cast(value)?;
        for place in 0..items.len() {
            // The argument itself refuses a list with holes, and one that is too long.
            let Some(item) = items.get::<Unknown<'_>>(place)? else { break };
            if !String::fits(item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Setting for bool {
    const EXPECTED: &str = "a boolean";

    fn fits(value: Unknown<'_>) -> napi::Result<bool> {
        Ok(value.get_type()? == ValueType::Boolean)
    }
}

/// Settings that are numbers.
macro_rules! numbers {
    ($($Type:ty),*) => {
        $(impl Setting for $Type {
            const EXPECTED: &str = "a number";

            fn fits(value: Unknown<'_>) -> napi::Result<bool> {
                Ok(matches!(value.get_type()?, ValueType::Number | ValueType::BigInt))
            }
        })*
    };
}

numbers!(u8, u16, u32, u64);

/// What the program that opens a platform gives.
pub fn typed<T: Setting>(name: &str, value: Unknown<'_>) -> Read<T> {
    if T::fits(value)? {
        argument(name, value)
    } else {
        Err(wrong(name, T::EXPECTED, value)?.into())
    }
}

/// A number, which cannot work if it does not fit.
fn of_setting<T: Setting>(name: &str, value: Unknown<'_>) -> Read<T> {
    typed(name, value).map_err(|refused| match refused {
        Refused::Failed(failure) if failure.is_validation() => out_of_range(name).into(),
        other => other,
    })
}

fn one_of(name: &str, known: &str) -> Failure {
    let refused = FieldError::new(name, Code::Invalid);
    Failure::validation(refused.expecting(format!("one of {known}")).into())
}

fn out_of_range(name: &str) -> Failure {
    Failure::configuration(format!("{name} is out of range"))
}

fn number<T: Setting>(given: &Object<'_>, name: &str) -> Read<Option<T>> {
    present(given, name)?.map(|value| of_setting(name, value)).transpose()
}

/// Numbers by name in one setting, all of them required.
fn numbers<const N: usize>(
    given: &Object<'_>,
    name: &str,
    names: [&str; N],
) -> Read<Option<[u64; N]>> {
    let Some(value) = present(given, name)? else { return Ok(None) };
    of_type(name, value, ValueType::Object, "an object")?;
    let numbers = object(value)?;
    only(&numbers, &names)?;
    let mut read = [0; N];
    for (place, part) in names.into_iter().enumerate() {
        let (path, value) = (format!("{name}.{part}"), numbers.get_named_property(part)?);
        read[place] = of_setting(&path, value)?;
    }
    Ok(Some(read))
}

/// Bytes by number, for example secrets by their ids. The numbers of an array are refused: they change
/// when one is removed.
fn keys(given: &Object<'_>, name: &str) -> Read<BTreeMap<u32, Vec<u8>>> {
    const EXPECTED: &str = "an object with bytes by number";
    let Some(value) = present(given, name)? else { return Ok(BTreeMap::new()) };
    of_type(name, value, ValueType::Object, EXPECTED)?;
    if value.is_array()? {
        return Err(wrong(name, EXPECTED, value)?.into());
    }
    let keys = object(value)?;
    let mut read = BTreeMap::new();
    for id in Object::keys(&keys)? {
        let number = id.parse().ok().filter(|number: &u32| number.to_string() == id);
        let Some(number) = number else {
            let message = format!("{name}: expected whole numbers from 0 to 4294967295 as names");
            return Err(Failure::configuration(message).into());
        };
        let value: Unknown<'_> = keys.get_named_property(&id)?;
        let path = format!("{name}.{number}");
        read.insert(number, bytes(&path, value)?);
    }
    Ok(read)
}

/// Bytes, of which another thread changes none meanwhile: they are copied.
fn bytes(name: &str, value: Unknown<'_>) -> Read<Vec<u8>> {
    let is_bytes = value.is_typedarray()?
        && cast::<TypedArray<'_>>(value)?.typed_array_type == TypedArrayType::Uint8;
    match is_bytes {
        true => Ok(cast::<Uint8Array>(value)?.to_vec()),
        false => Err(wrong(name, "a Uint8Array", value)?.into()),
    }
}

/// Refuses a setting of another type.
fn of_type(name: &str, value: Unknown<'_>, of: ValueType, expected: &str) -> Read<()> {
    match value.get_type()? == of {
        true => Ok(()),
        false => Err(wrong(name, expected, value)?.into()),
    }
}

fn object(value: Unknown<'_>) -> napi::Result<Object<'_>> {
    cast(value)
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
fn cast<T: FromNapiValue>(value: Unknown<'_>) -> napi::Result<T> {
    // SAFETY: every caller has checked the value's type.
    unsafe { value.cast() }
}

/// Refuses unknown names.
fn only(given: &Object<'_>, known: &[&str]) -> Read<()> {
    match Object::keys(given)?.into_iter().find(|name| !known.contains(&&**name)) {
        Some(unknown) => Err(Failure::of_type(format!("there is no setting '{unknown}'")).into()),
        None => Ok(()),
    }
}

/// A function that returns the time, for tests.
struct JsClock {
    calls: Calls,
    /// JavaScript's own thread, which cannot wait for itself.
    own: ThreadId,
}

impl Clock for JsClock {
    fn now(&self) -> Timestamp {
        if thread::current().id() == self.own {
            return SystemClock.now();
        }
        let told = self.calls.function("clock", Vec::new(), |answer: Js| match answer {
            Js::Instant(millis) => Some(Timestamp::from_millis(millis)),
            _ => None,
        });
        // An error of the clock must not stop the call, so the system's clock is used.
        told.unwrap_or_else(|_| SystemClock.now())
    }
}

/// A host's verifier of its old hashes.
struct JsVerifier(Calls);

impl JsVerifier {
    /// Calls a method, which has to answer with a boolean: an object is true, and would let everybody
    /// in. The package warns of errors, because the caller of a sign-in must not see them.
    fn ask(&self, method: &'static str, arguments: &[&str]) -> Option<bool> {
        let arguments = arguments.iter().map(|text| Js::from(*text)).collect();
        let asked = self.0.function(method, arguments, |answer: Js| match answer {
            Js::Bool(answer) => Some(answer),
            _ => None,
        });
        asked.ok()
    }
}

impl LegacyVerifier for JsVerifier {
    fn recognises(&self, hash: &str) -> bool {
        self.ask("recognises", &[hash]).unwrap_or(false)
    }

    fn verify(&self, password: &str, hash: &str) -> Option<bool> {
        self.ask("verify", &[password, hash])
    }
}
