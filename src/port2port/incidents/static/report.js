// The button "Use my position". Without scripts, or without a position, the place is described in words.
const button = document.getElementById("use-position");
const said = document.getElementById("position-said");

function taken(position) {
  const { latitude, longitude, accuracy } = position.coords;
  document.getElementById("latitude").value = latitude.toFixed(6);
  document.getElementById("longitude").value = longitude.toFixed(6);
  said.textContent = button.dataset.taken.replace("{metres}", Math.round(accuracy));
}

if ("geolocation" in navigator && window.isSecureContext) {
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      taken,
      () => (said.textContent = button.dataset.failed),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  });
}
