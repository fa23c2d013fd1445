//! Keys and parameters in all the forms that openssl gives them.

use ibd_oauth::{DhError, DhParameters, EncryptionKey, KeyError, MODULUS_BITS, SigningKey};

use crate::randomness;
use crate::vectors::{text, vectors};

/// A file that openssl made.
macro_rules! form {
    ($name:literal) => {
        include_str!(concat!("../vectors/forms/", $name, ".pem"))
    };
}

#[test]
fn a_key_is_the_same_in_every_form_and_with_any_line_ends() {
    let pkcs1 = SigningKey::from_pem(form!("rsa_pkcs1")).unwrap();
    let pkcs8 = SigningKey::from_pem(form!("rsa_pkcs8")).unwrap();
    assert!(pkcs1 == pkcs8);
    for plain in [form!("rsa_pkcs1"), form!("rsa_pkcs8")] {
        let crlf = plain.replace('\n', "\r\n");
        let padded = format!("\n \r\n\u{feff}{crlf}\r\n\n\n");
        for other in [crlf, padded] {
            assert!(SigningKey::from_pem(&other).unwrap() == pkcs1);
        }
    }
    assert!(EncryptionKey::from_pem(form!("rsa_pkcs8")).unwrap().is_also(&pkcs1));
}

#[test]
fn the_public_half_is_what_openssl_makes_of_it() {
    let key = SigningKey::from_pem(form!("rsa_pkcs1")).unwrap();
    assert_eq!(key.public_pem().unwrap(), form!("rsa_public"));
    assert_eq!(key.to_pem().unwrap().as_str(), form!("rsa_pkcs8"));
    let all = vectors();
    for name in ["signing", "encryption"] {
        let key = EncryptionKey::from_pem(text(&all, &format!("{name}_pkcs1"))).unwrap();
        assert_eq!(key.public_pem().unwrap(), text(&all, &format!("{name}_public")));
        assert_eq!(key.to_pem().unwrap().as_str(), text(&all, &format!("{name}_pkcs8")));
    }
}

#[test]
fn what_is_no_such_key_is_told_apart() {
    for locked in [form!("rsa_pkcs1_locked"), form!("rsa_pkcs8_locked")] {
        assert_eq!(SigningKey::from_pem(locked), Err(KeyError::Encrypted));
    }
    assert_eq!(SigningKey::from_pem(form!("rsa_1024")), Err(KeyError::TooSmall { found: 1024 }));
    for other in
        [form!("rsa_public"), form!("rsa_pss"), form!("ec_sec1"), form!("ec_pkcs8"), form!("dh")]
    {
        let refused = SigningKey::from_pem(other);
        assert!(matches!(refused, Err(KeyError::WrongKind { .. })), "{other} {refused:?}");
    }
    for nothing in ["", "hello", "MIIEowIBAAKCAQEA"] {
        assert_eq!(SigningKey::from_pem(nothing), Err(KeyError::NoPem));
    }
}

#[test]
fn a_damaged_key_is_refused_wherever_it_is_cut_or_changed() {
    let plain = form!("rsa_pkcs8");
    for at in (0..plain.len() - 2).step_by(97) {
        let cut = SigningKey::from_pem(&plain[..at]);
        assert!(matches!(cut, Err(KeyError::NoPem | KeyError::CutOff(_))), "{at} {cut:?}");
    }
    let lines: Vec<&str> = plain.lines().collect();
    for gone in 1..lines.len() - 1 {
        let mut left = lines.clone();
        left.remove(gone);
        let refused = SigningKey::from_pem(&left.join("\n"));
        assert!(
            matches!(
                refused,
                Err(KeyError::Damaged | KeyError::WrongKind { .. } | KeyError::TooSmall { .. })
            ),
            "{gone} {refused:?}"
        );
    }
}

#[test]
fn parameters_are_read_as_openssl_writes_them() {
    let plain = DhParameters::read(form!("dh")).unwrap();
    assert_eq!(format!("{plain:?}"), "DhParameters(2048 bits)");
    assert_eq!(plain.to_pem().unwrap(), form!("dh"));
    let crlf = form!("dh").replace('\n', "\r\n");
    for other in [form!("dh_text"), &crlf, &plain.to_hex()] {
        assert_eq!(DhParameters::read(other), Ok(plain.clone()));
    }
    assert!(
        DhParameters::read(form!("dsa_style")).is_err(),
        "another kind of file, with a large generator"
    );
    let all = vectors();
    let ours = DhParameters::read(text(&all, "dh_pem"));
    assert_eq!(ours, DhParameters::read(text(&all, "dh_prime")));
    assert_eq!(ours.unwrap().to_pem().unwrap(), text(&all, "dh_pem"));
}

#[test]
fn what_are_no_such_parameters_is_told_apart() {
    let small = DhParameters::read(form!("dh_512"));
    assert_eq!(small, Err(DhError::Generator { found: 5 }));
    let key = DhParameters::read(form!("rsa_pkcs1"));
    assert!(matches!(key, Err(DhError::File(KeyError::WrongKind { .. }))), "{key:?}");
    let cut = DhParameters::read(form!("dh").split_at(200).0);
    assert_eq!(cut, Err(DhError::File(KeyError::CutOff("DH PARAMETERS".to_owned()))));
}

#[test]
fn a_new_key_is_written_and_read_again() {
    let made = SigningKey::generate(&mut randomness(3)).unwrap();
    let (written, public) = (made.to_pem().unwrap(), made.public_pem().unwrap());
    assert!(SigningKey::from_pem(&written).unwrap() == made);
    assert!(written.starts_with("-----BEGIN PRIVATE KEY-----\n") && !written.contains('\r'));
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----\n") && !public.contains('\r'));
    assert_eq!(MODULUS_BITS, 2048);
    let other = EncryptionKey::generate(&mut randomness(4)).unwrap();
    assert!(!other.is_also(&made));
    assert_eq!(format!("{made:?} {other:?}"), "SigningKey(…) EncryptionKey(…)");
}
