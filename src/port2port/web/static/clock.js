// The clock in the header: local time of the port, and UTC. Without scripts the page shows when it was made.
const clock = document.querySelector(".clock");

if (clock) {
  const form = (timeZone) =>
    new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone });
  const faces = [
    [document.getElementById("local-clock"), form(clock.dataset.timezone)],
    [document.getElementById("utc-clock"), form("UTC")],
  ];
  const show = () => {
    const now = new Date();
    for (const [face, shape] of faces) face.textContent = shape.format(now);
    setTimeout(show, 1000 - (Date.now() % 1000));
  };
  show();
}

// An open menu closes with Escape and when the focus or a click goes elsewhere.
for (const menu of document.querySelectorAll("details.menu")) {
  const close = (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("click", close);
  document.addEventListener("focusin", close);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
