use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kontor_outbound::Names;
use rstest::rstest;

use super::greeting::{self, Greeting};
use super::head::{self, Ask};
use super::route::{Routes, names_host};
use crate::Host;

/// A resolver that says what a test wants, and counts how often it is asked.
struct Told {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Names for Told {
    fn resolve(&self, _: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let addresses = self.addresses.clone();
        Box::pin(async move { Ok(addresses) })
    }
}

fn way(grants: &[&str], asked: &str, addresses: &[&str]) -> (Result<IpAddr, String>, usize) {
    let told = Arc::new(Told {
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        asked: AtomicUsize::new(0),
    });
    let names: Arc<dyn Names> = Arc::<Told>::clone(&told);
    let routes = Routes { granted: grants.iter().map(|grant| grant.parse().unwrap()).collect(), names };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(routes.find(&asked.parse().unwrap()));
    (found.map(|way| way.address), told.asked.load(Ordering::SeqCst))
}

#[rstest]
#[case::loopback(&["127.0.0.1"])]
#[case::private(&["10.0.0.1"])]
#[case::metadata(&["169.254.169.254"])]
#[case::metadata_by_six(&["fd00:ec2::254"])]
#[case::shared(&["100.100.100.200"])]
#[case::mapped(&["::ffff:127.0.0.1"])]
#[case::one_among_good_ones(&["93.184.216.34", "127.0.0.1"])]
#[case::none(&[])]
fn a_name_leads_only_to_the_open_internet(#[case] addresses: &[&str]) {
    assert!(way(&["api.example.com:443"], "api.example.com:443", addresses).0.is_err());
}

#[test]
fn a_grant_decides_what_is_looked_up_and_where_it_leads() {
    let public = ["93.184.216.34"];
    let address: IpAddr = public[0].parse().unwrap();
    assert_eq!(way(&["api.example.com:443"], "API.example.com:443", &public), (Ok(address), 1));
    for other in
        ["evilapi.example.com:443", "api.example.com.evil.example:443", "api.example.com:80", "93.184.216.34:443"]
    {
        let (found, asked) = way(&["api.example.com:443"], other, &public);
        assert!(found.is_err() && asked == 0, "{other}");
    }
    let named: IpAddr = "10.0.0.5".parse().unwrap();
    assert_eq!(way(&["intern.example:443=10.0.0.5"], "intern.example:443", &public), (Ok(named), 0));
    assert_eq!(way(&["10.0.0.5:8080"], "10.0.0.5:8080", &public), (Ok(named), 0));
    assert!(way(&["0.0.0.0:80"], "0.0.0.0:80", &public).0.is_err());
}

#[test]
fn a_greeting_fits_its_host_or_does_not() {
    let name = Host::parse("api.example.com").unwrap();
    let address = Host::parse("10.0.0.5").unwrap();
    assert!(names_host(Some("API.example.com"), &name) && names_host(None, &address));
    assert!(!names_host(None, &name) && !names_host(Some("evil.example"), &name) && !names_host(Some("x"), &address));
}

/// The shortest greeting with these extensions.
fn greeting(extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}

fn name(host: &[u8]) -> Vec<u8> {
    let length = |more: usize| u16::try_from(host.len() + more).unwrap().to_be_bytes();
    [&[0, 0], length(5).as_slice(), length(3).as_slice(), &[0], length(0).as_slice(), host].concat()
}

#[test]
fn a_greeting_says_its_host_however_it_is_cut() {
    let whole = greeting(&name(b"api.example.com"));
    for cut in 0..whole.len() {
        assert_eq!(greeting::parse(&whole[..cut]), Ok(None), "after {cut} bytes");
    }
    assert_eq!(greeting::parse(&whole), Ok(Some(Greeting { name: Some("api.example.com".into()) })));
    let bare = greeting(&[]);
    assert_eq!(greeting::parse(&bare), Ok(Some(Greeting { name: None })));
}

#[rstest]
#[case::two_names([name(b"a.example"), name(b"b.example")].concat())]
#[case::zero_byte(name(b"a.example\0.evil"))]
#[case::torn(vec![0, 0, 0, 9, 0])]
fn a_greeting_that_can_be_read_in_two_ways_is_refused(#[case] extensions: Vec<u8>) {
    assert!(greeting::parse(&greeting(&extensions)).is_err());
}

#[test]
fn only_tls_goes_through_a_tunnel() {
    assert!(greeting::parse(b"GET / HTTP/1.1\r\n").is_err());
    assert!(greeting::parse(b"SSH-2.0-x\r\n").is_err());
    assert!(greeting::parse(&[0x16, 3, 1, 0, 0]).is_err());
}

#[rstest]
#[case("CONNECT api.example.com:443 HTTP/1.1\r\nHost: x")]
#[case("CONNECT API.Example.com:443 HTTP/1.1")]
fn a_tunnel_names_host_and_port(#[case] text: &str) {
    let head = head::parse(text.as_bytes(), Vec::new()).unwrap();
    assert_eq!(head.destination, "api.example.com:443".parse().unwrap());
    assert!(matches!(head.ask, Ask::Tunnel));
}

#[rstest]
#[case::zero_byte("CONNECT api.example.com\0.evil.com:443 HTTP/1.1")]
#[case::escaped_zero("CONNECT api.example.com%00.evil.com:443 HTTP/1.1")]
#[case::trailing_dot("CONNECT api.example.com.:443 HTTP/1.1")]
#[case::user("CONNECT api.example.com@evil.com:443 HTTP/1.1")]
#[case::other_script("CONNECT аpi.example.com:443 HTTP/1.1")]
#[case::octal("CONNECT 0177.0.0.1:443 HTTP/1.1")]
#[case::one_number("CONNECT 2130706433:443 HTTP/1.1")]
#[case::hexadecimal("CONNECT 0x7f000001:443 HTTP/1.1")]
#[case::short("CONNECT 127.1:443 HTTP/1.1")]
#[case::mapped("CONNECT [::ffff:127.0.0.1]:443 HTTP/1.1")]
#[case::zone("CONNECT [fe80::1%25lo]:443 HTTP/1.1")]
#[case::no_port("CONNECT api.example.com HTTP/1.1")]
#[case::odd_port("CONNECT api.example.com:+443 HTTP/1.1")]
#[case::port_zero("CONNECT api.example.com:0 HTTP/1.1")]
#[case::four_parts("CONNECT api.example.com:443 x HTTP/1.1")]
#[case::bare_newline("CONNECT api.example.com:443 HTTP/1.1\nHost: x")]
#[case::local_path("GET /secret HTTP/1.1\r\nHost: api.example.com")]
#[case::other_scheme("GET file:///etc/passwd HTTP/1.1\r\nHost: api.example.com")]
#[case::user_in_address("GET http://api.example.com@evil.com/ HTTP/1.1\r\nHost: evil.com")]
#[case::other_host("GET http://api.example.com/ HTTP/1.1\r\nHost: evil.com")]
#[case::two_hosts("GET http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\nHost: evil.com")]
#[case::no_host("GET http://api.example.com/ HTTP/1.1")]
#[case::two_lengths("POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nContent-Length: 2")]
#[case::chunks("POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked")]
#[case::folded("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n folded: x")]
fn what_can_be_read_in_two_ways_is_refused(#[case] text: &str) {
    assert!(head::parse(text.as_bytes(), Vec::new()).is_err());
}

#[test]
fn a_plain_request_goes_on_without_what_was_for_the_proxy() {
    let text = "POST http://a.example:8080/x?secret=1 HTTP/1.1\r\nHost: a.example:8080\r\nProxy-Authorization: Basic eA==\r\n\
                Connection: keep-alive\r\nContent-Length: 3";
    let head = head::parse(text.as_bytes(), b"abc".to_vec()).unwrap();
    assert_eq!(head.request.as_deref(), Some("POST /x"));
    let Ask::Request { forwarded, body } = head.ask else { panic!("a request") };
    assert_eq!(body, 3);
    assert_eq!(
        String::from_utf8(forwarded).unwrap(),
        "POST /x?secret=1 HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    );
}
