// Signs in: the token goes out once, in a header; what stays in the browser is an HttpOnly cookie.
"use strict";

const form = document.getElementById("form");
const token = document.getElementById("token");
const fault = document.getElementById("fault");
const submit = document.getElementById("submit");

document.getElementById("ended").hidden = new URLSearchParams(location.search).get("ended") !== "1";
token.focus();

function show(message) {
  fault.textContent = message;
  token.setAttribute("aria-invalid", message === "" ? "false" : "true");
}

// A header holds visible ASCII; anything else would make fetch throw, and no token has it.
function isSendable(text) {
  return /^[\x21-\x7e]+$/.test(text);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = token.value.trim();
  if (!isSendable(given)) {
    show(given === "" ? "Enter the query token." : "A token has no spaces and only plain characters.");
    token.focus();
    return;
  }

  submit.disabled = true;
  show("");
  try {
    const answer = await fetch("api/v1/session", {
      method: "POST",
      headers: { "Authorization": "Bearer " + given, "Content-Type": "application/json" },
      body: "{}",
      cache: "no-store",
      redirect: "error",
    });
    token.value = "";
    if (answer.ok) {
      location.replace("./");
      return;
    }

    const problem = await answer.json().catch(() => null);
    show(problem && problem.error ? "Not signed in: " + problem.error + "." : "Not signed in: the collector answered " + answer.status + ".");
  } catch {
    show("The collector cannot be reached. Nothing was stored; try again.");
  }

  submit.disabled = false;
  token.focus();
});
