// What app.js needs to send one picture: words, a smaller copy, the request.

const longest = 2048; // pixels of the longer side that are sent; the model sees 1024
const taken = ["image/jpeg", "image/png", "image/webp", "image/gif"];

const form = document.querySelector("form.send");
const phrases = form ? JSON.parse(form.dataset.words) : {};

export function say(key, values = {}) {
  return phrases[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// plain is a file's name without the controls that turn the direction of text.
export function plain(name) {
  return name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}

function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

// Refusal is an answer of the page itself, in the shape of the server's.
class Refusal extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null; // not a picture, or of a kind this browser does not read
  }
}

function looksLikeHEIC(file) {
  return /^image\/hei[cf]/.test(file.type) || /\.hei[cf]$/i.test(file.name);
}

async function toJPEG(bitmap, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // JPEG has no transparency
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, width, height);
  return new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.9); });
}

// prepare chooses what to send: the file, or a smaller copy of it. It resolves
// to {blob, name, note}, or throws a Refusal.
export async function prepare(file, original) {
  const most = Number(form.dataset.bytes);
  const asIs = { blob: file, name: file.name, note: "" };
  const bitmap = original && taken.includes(file.type) ? null : await decode(file);
  if (!bitmap && looksLikeHEIC(file)) {
    throw new Refusal(say("heic"), say("heic2"));
  }
  if (bitmap) {
    const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    if (scale < 1 || !taken.includes(file.type) || file.size > most) {
      asIs.blob = await toJPEG(bitmap, width, height) ?? file;
      asIs.name = file.name.replace(/\.\w+$/, "") + ".jpg";
      asIs.note = scale < 1 ? say("scaled", { from: `${bitmap.width} × ${bitmap.height}`, to: `${width} × ${height}` }) : "";
    }
    bitmap.close();
  }
  if (asIs.blob.size > most) {
    throw new Refusal(say("large"), say("large2", { size: mebibytes(asIs.blob.size), most: mebibytes(most) }));
  }
  return asIs;
}

// upload resolves to {status, retry, html}; status 0 means no connection.
// Aborting the signal rejects.
export function upload(parcel, key, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("token", form.elements.token.value);
    if (parcel.sample) { body.append("sample", parcel.sample); } else { body.append("image", parcel.blob, parcel.name); }
    request.open("POST", "/");
    request.setRequestHeader("X-Fragment", "1");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    request.upload.addEventListener("load", () => onProgress(1));
    request.addEventListener("load", () => resolve({
      status: request.status, retry: Number(request.getResponseHeader("Retry-After")), html: request.responseText,
    }));
    request.addEventListener("error", () => resolve({ status: 0, retry: 5, html: "" }));
    signal.addEventListener("abort", () => { request.abort(); reject(signal.reason); });
    request.send(body);
  });
}

// parse makes an element of a fragment from our own server.
export function parse(html) {
  return new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
}

export function wait(seconds, signal, onSecond) {
  return new Promise((resolve, reject) => {
    const end = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) { stop(resolve); } else { onSecond(left); }
    };
    const timer = setInterval(tick, 250);
    const stop = (how, why) => { clearInterval(timer); how(why); };
    signal.addEventListener("abort", () => stop(reject, signal.reason));
    tick();
  });
}
