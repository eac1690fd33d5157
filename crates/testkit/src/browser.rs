use http::{Request, StatusCode};
use serde_json::json;

use crate::{Answer, NATIVE, PUBLIC, TestHub};

/// A browser of somebody who is signed in: it follows a fresh link and keeps its cookie.
pub struct Browser<'h> {
    hub: &'h TestHub,
    cookie: String,
}

impl<'h> Browser<'h> {
    /// A fresh link of whoever has this token.
    pub async fn link(hub: &TestHub, token: &str) -> String {
        let answer = hub.call("POST", &format!("{NATIVE}/login-links"), Some(token), &json!({})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()["url"].as_str().unwrap().to_owned()
    }

    /// Uses a link up.
    pub async fn sign_in(hub: &'h TestHub, link: &str) -> Self {
        let code = link.split("code=").nth(1).unwrap();
        let form = format!("code={code}");
        let request = Request::post("/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", PUBLIC)
            .header("accept", "text/html");
        let answer = hub.send(request, form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { hub, cookie }
    }

    /// A browser of whoever has this token.
    pub async fn of(hub: &'h TestHub, token: &str) -> Self {
        let link = Self::link(hub, token).await;
        Self::sign_in(hub, &link).await
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", &self.cookie).header("accept", "text/html");
        self.hub.send(request, "").await
    }

    /// Sends a form, as a page of this origin would.
    pub async fn post(&self, path: &str, origin: Option<&str>, form: &str) -> Answer {
        let mut request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.hub.send(request, form.to_owned()).await
    }

    /// Sends a form with files, as a page of this origin would: of each part its name, its file name and what is in it.
    pub async fn post_parts<B: AsRef<[u8]>>(&self, path: &str, parts: &[(&str, Option<&str>, B)]) -> Answer {
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            body.extend(format!("--between\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
            body.extend_from_slice(bytes.as_ref());
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--between--\r\n");
        let request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .header("origin", PUBLIC)
            .header("content-type", "multipart/form-data; boundary=between");
        self.hub.send(request, body).await
    }

    /// Sends an order to take something away, as a script of a page of this origin would.
    pub async fn delete(&self, path: &str, origin: &str) -> Answer {
        let request = Request::delete(path).header("cookie", &self.cookie).header("origin", origin);
        self.hub.send(request, "").await
    }

    /// What a page's forms carry to show that they were made for this session.
    pub fn form_token(page: &Answer) -> String {
        let after = page.body.split("name=\"form\" value=\"").nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    }
}
