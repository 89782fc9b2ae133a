// The page works without this file: it adds a preview, drop and paste.
"use strict";

const form = document.querySelector("form.send");
const input = form && form.querySelector("input[type=file]");
const preview = form && form.querySelector(".preview");

function show() {
  preview.querySelectorAll("img").forEach((img) => URL.revokeObjectURL(img.src));
  preview.replaceChildren(...Array.from(input.files, (file) => {
    if (!file.type.startsWith("image/")) {
      const name = document.createElement("span");
      name.textContent = file.name;
      return name;
    }
    const img = document.createElement("img");
    img.src = URL.createObjectURL(file);
    img.alt = file.name;
    return img;
  }));
  preview.hidden = input.files.length === 0;
}

function take(files) {
  if (files.length > 0) {
    input.files = files;
    show();
  }
}

if (form) {
  input.addEventListener("change", show);
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData.files));
  form.addEventListener("submit", () => {
    const button = form.querySelector("button.main");
    button.textContent = "Classifying…";
    setTimeout(() => { button.disabled = true; });
  });
  // Back from the result the page may be shown as it was left.
  window.addEventListener("pageshow", () => {
    const button = form.querySelector("button.main");
    button.textContent = "Classify";
    button.disabled = false;
  });
}
