// Passkeys: asks the browser's authenticator, and sends what it answers. The server checks everything.
const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const said = document.getElementById("passkey-said");

async function post(path, csrf, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error([said.detail, said.hint].filter(Boolean).join(" "));
  return said;
}

function requestFrom(options) {
  const known = (list) => (list ?? []).map((each) => ({ ...each, id: decode(each.id) }));
  return {
    ...options,
    challenge: decode(options.challenge),
    ...(options.user && { user: { ...options.user, id: decode(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
  };
}

function answerFrom(credential) {
  const response = { clientDataJSON: encode(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = encode(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function signIn(button) {
  const { csrf, next } = button.dataset;
  const { challenge, options } = await post("/sign-in/passkey/options", csrf, {});
  const credential = await navigator.credentials.get({ publicKey: requestFrom(options) });
  await post("/sign-in/passkey", csrf, { challenge, credential: answerFrom(credential) });
  location.assign(next);
}

async function add(form) {
  const { csrf } = form.dataset;
  const { challenge, options } = await post("/account/passkeys/options", csrf, {});
  const credential = await navigator.credentials.create({ publicKey: requestFrom(options) });
  const title = new FormData(form).get("title");
  await post("/account/passkeys", csrf, { challenge, title, credential: answerFrom(credential) });
  location.assign("/account");
}

async function attempt(element, ceremony) {
  said.textContent = "";
  try {
    await ceremony(element);
  } catch (error) {
    // A person who closed the dialogue, and an authenticator that failed, look the same: say what can be done.
    said.textContent = error instanceof DOMException ? element.dataset.failed : error.message;
  }
}

if (window.PublicKeyCredential) {
  const button = document.getElementById("passkey");
  const form = document.getElementById("add-passkey");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => attempt(button, signIn));
  }
  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(form, add);
    });
  }
} else {
  document.getElementById("by-password")?.setAttribute("open", "");
}
