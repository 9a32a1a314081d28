//! HTTP/1.1 on loopback, in the clear or over TLS: a thread for each connection, kept alive.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::faults::{Fault, Faults, Moment};
use super::log::{Asked, Log};
use super::routes;
use super::state::State;
use super::tls::{Secure, Session};

/// The server.
pub(super) struct Server {
    address: String,
    secure: Option<Secure>,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    log: Mutex<Vec<Asked>>,
    unknown: Mutex<Vec<String>>,
    requests: AtomicUsize,
    open: AtomicUsize,
    connections: AtomicU64,
    stopping: AtomicBool,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether no route took the request.
    pub(crate) unknown: bool,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn query_text(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let pair = self.query_text().split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
        Some(decoded(&pair.replace('+', " ")))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Without its percent signs.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap();
            coded.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    coded
}

impl Response {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), unknown: false }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let response = Self::status(status).header("content-type", "application/json; charset=utf-8");
        Self { body: body.to_string().into_bytes(), ..response }
    }

    /// GitHub's shape of an error.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message, "documentation_url": "https://docs.github.com/rest" }))
    }

    /// 422 about a field.
    pub(crate) fn invalid(resource: &str, code: &str, field: &str) -> Self {
        let errors = json!([{ "resource": resource, "code": code, "field": field }]);
        let body = json!({ "message": "Validation Failed", "errors": errors, "documentation_url": "https://docs.github.com/rest" });
        Self::json(422, &body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

impl Server {
    pub(super) fn start(mut state: State, secure: Option<Secure>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let scheme = if secure.is_some() { "https" } else { "http" };
        state.url = format!("{scheme}://{address}");
        let server = Arc::new(Self {
            address,
            secure,
            state: Mutex::new(state),
            faults: Mutex::default(),
            log: Mutex::default(),
            unknown: Mutex::default(),
            requests: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&server);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.stopping.load(Ordering::Relaxed) {
                    return;
                }
                let (server, stream) = (Arc::clone(&accepting), stream.unwrap());
                server.open.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    server.accept(&stream);
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(&self.address));
    }

    /// `HOST:PORT`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// How many requests there were so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Whether nobody is connected.
    pub(super) fn is_idle(&self) -> bool {
        self.open.load(Ordering::SeqCst) == 0
    }

    pub(super) fn take_log(&self) -> Log {
        Log(std::mem::take(&mut *lock(&self.log)))
    }

    pub(super) fn unknown(&self) -> Vec<String> {
        lock(&self.unknown).clone()
    }

    fn accept(&self, mut stream: &TcpStream) {
        stream.set_nodelay(true).unwrap();
        match &self.secure {
            Some(secure) => secure.session(stream, |session| self.connection(session)),
            None => self.connection(&mut stream),
        }
        let _gone = stream.shutdown(Shutdown::Both);
    }

    fn connection(&self, stream: &mut dyn Session) {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut buffer = Vec::new();
        while let Some(request) = read(stream, &mut buffer) {
            if !self.one(stream, &request, connection) {
                return;
            }
        }
    }

    /// Answers one request; whether the connection goes on.
    fn one(&self, stream: &mut dyn Session, request: &Request, connection: u64) -> bool {
        let begin = SystemTime::now();
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let (latency, fault) = {
            let mut faults = self.faults();
            faults.tell(number, Moment::Before);
            (
                faults.latency,
                faults.of(
                    number,
                    &format!("{} {} {}", request.method, request.target, String::from_utf8_lossy(&request.body)),
                ),
            )
        };
        let fault = fault.filter(|fault| !fault.is_limit() || !request.path().contains(".git/"));
        std::thread::sleep(latency);
        if fault == Some(Fault::DropBefore) {
            return false;
        }
        let early = fault.and_then(Fault::answer);
        let mut response = early.unwrap_or_else(|| routes::answer(&self.state, request));
        if response.unknown {
            let why = String::from_utf8_lossy(&response.body);
            lock(&self.unknown).push(format!("{} {}: {why}", request.method, request.target));
        }
        self.faults().tell(number, Moment::After);
        if fault == Some(Fault::BadGatewayAfter) {
            response = Response::error(502, "Bad Gateway");
        }
        lock(&self.log).push(Asked::new(request, response.status, connection, begin));
        let bytes = self.state().about_itself(response.clone()).bytes();
        match fault {
            Some(Fault::DropAfter) => false,
            Some(Fault::CutShort) => {
                let _gone = stream.write_all(&bytes[..bytes.len() - response.body.len() / 2 - 1]);
                false
            }
            _ => stream.write_all(&bytes).is_ok(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request; `None` at the end of the connection.
fn read(stream: &mut dyn Session, buffer: &mut Vec<u8>) -> Option<Request> {
    let mut chunk = [0; 16_384];
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        if let Ok(httparse::Status::Complete(end)) = head.parse(buffer) {
            let header = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            let length: usize =
                header("content-length").map_or(0, |header| String::from_utf8_lossy(header.value).parse().unwrap());
            if header("transfer-encoding").is_none() && buffer.len() >= end + length {
                let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                let request = Request {
                    method: head.method.unwrap().to_owned(),
                    target: head.path.unwrap().to_owned(),
                    headers: head.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect(),
                    body: buffer[end..end + length].to_vec(),
                };
                buffer.drain(..end + length);
                return Some(request);
            }
            assert!(header("transfer-encoding").is_none(), "chunked requests are not read");
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend(&chunk[..read]),
        }
    }
}
