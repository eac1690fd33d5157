//! Which addresses belong to the open internet, and which exceptions an operator can write.

use kontor_outbound::{Class, Exception, classify};
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case("93.184.216.34", Class::Public)]
#[case("8.8.8.8", Class::Public)]
#[case("172.15.255.255", Class::Public)]
#[case("172.32.0.0", Class::Public)]
#[case("100.63.255.255", Class::Public)]
#[case("100.128.0.0", Class::Public)]
#[case("198.17.255.255", Class::Public)]
#[case("198.20.0.0", Class::Public)]
#[case("223.255.255.255", Class::Public)]
#[case("0.0.0.0", Class::Unspecified)]
#[case("0.1.2.3", Class::Unspecified)]
#[case("10.0.0.0", Class::Private)]
#[case("10.255.255.255", Class::Private)]
#[case("100.64.0.0", Class::Shared)]
#[case("100.100.100.200", Class::Shared)]
#[case("100.127.255.255", Class::Shared)]
#[case("127.0.0.1", Class::Loopback)]
#[case("127.255.255.254", Class::Loopback)]
#[case("168.63.129.16", Class::Metadata)]
#[case("169.254.0.1", Class::LinkLocal)]
#[case("169.254.169.254", Class::LinkLocal)]
#[case("172.16.0.0", Class::Private)]
#[case("172.31.255.255", Class::Private)]
#[case("192.0.0.192", Class::Reserved)]
#[case("192.0.2.1", Class::Reserved)]
#[case("192.88.99.1", Class::Reserved)]
#[case("192.168.0.1", Class::Private)]
#[case("198.18.0.0", Class::Reserved)]
#[case("198.19.255.255", Class::Reserved)]
#[case("198.51.100.7", Class::Reserved)]
#[case("203.0.113.7", Class::Reserved)]
#[case("224.0.0.1", Class::Multicast)]
#[case("239.255.255.255", Class::Multicast)]
#[case("240.0.0.1", Class::Reserved)]
#[case("255.255.255.255", Class::Reserved)]
#[case("2606:2800:220:1::1", Class::Public)]
#[case("2001:200::1", Class::Public)]
#[case("::", Class::Unspecified)]
#[case("::1", Class::Loopback)]
#[case("::2", Class::Reserved)]
#[case("::127.0.0.1", Class::Reserved)]
#[case("::ffff:127.0.0.1", Class::Loopback)]
#[case("::ffff:10.1.2.3", Class::Private)]
#[case("::ffff:169.254.169.254", Class::LinkLocal)]
#[case("::ffff:8.8.8.8", Class::Public)]
#[case("::ffff:0:127.0.0.1", Class::Reserved)]
#[case("64:ff9b::127.0.0.1", Class::Loopback)]
#[case("64:ff9b::8.8.8.8", Class::Public)]
#[case("64:ff9b:1::10.0.0.1", Class::Reserved)]
#[case("100::1", Class::Reserved)]
#[case("2001::1", Class::Reserved)]
#[case("2001:2::1", Class::Reserved)]
#[case("2001:db8::1", Class::Reserved)]
#[case("2002:7f00:1::", Class::Reserved)]
#[case("3fff::1", Class::Reserved)]
#[case("4000::1", Class::Reserved)]
#[case("5f00::1", Class::Reserved)]
#[case("fc00::1", Class::Private)]
#[case("fd00:ec2::254", Class::Private)]
#[case("fe80::1", Class::LinkLocal)]
#[case("febf::1", Class::LinkLocal)]
#[case("fec0::1", Class::Private)]
#[case("ff02::1", Class::Multicast)]
fn an_address_has_its_class(#[case] address: &str, #[case] class: Class) {
    assert_eq!(classify(address.parse().unwrap()), class);
}

proptest! {
    #[test]
    fn a_mapped_address_has_the_class_of_the_one_it_stands_for(bits: u32) {
        let short = std::net::Ipv4Addr::from_bits(bits);
        prop_assert_eq!(classify(short.to_ipv6_mapped().into()), classify(short.into()));
    }

    #[test]
    fn any_text_is_an_exception_or_refused(text in "\\PC{0,300}") {
        drop(text.parse::<Exception>());
    }
}

#[rstest]
#[case("10.0.0.0/8", "Range(10.0.0.0/8)")]
#[case("10.1.2.3", "Range(10.1.2.3/32)")]
#[case("::ffff:10.1.2.3", "Range(10.1.2.3/32)")]
#[case("fd00::/8", "Range(fd00::/8)")]
#[case("Git.Example.Internal.", "Host(\"git.example.internal\")")]
#[case("localhost", "Host(\"localhost\")")]
#[case("*.example.internal", "Below(\".example.internal\")")]
fn an_exception_is_understood(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(format!("{:?}", text.parse::<Exception>().unwrap()), expected);
}

#[rstest]
#[case("")]
#[case("*")]
#[case("*.")]
#[case("10.0.0.0/33")]
#[case("10.0.0.256")]
#[case("a..b")]
#[case("http://a.b")]
#[case("a b")]
#[case("a.*.b")]
fn what_is_no_exception_is_refused(#[case] text: &str) {
    assert!(text.parse::<Exception>().is_err());
}
