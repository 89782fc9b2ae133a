// The page works without this file: it adds preview, drop and paste, scales
// large photos down, shows progress, and retries while the model is away.

import { parse, plain, prepare, say, upload, wait } from "./send.js";

const together = 2; // uploads at once
const attempts = 20; // before a picture waits for a person

const form = document.querySelector("form.send");

function announce(text) {
  document.querySelector("#voice").textContent = text;
}

// Job is one picture on the page.
class Job {
  // A job is made of a file, or of the button of a sample.
  constructor(file, sample) {
    this.file = file;
    this.parcel = sample && { sample: sample.value, note: "" };
    this.key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join("-");
    this.card = document.querySelector("#work").content.firstElementChild.cloneNode(true);
    this.address = file && URL.createObjectURL(file);
    this.part = (selector) => this.card.querySelector(selector);
    this.name = (sample ? sample.textContent.trim() : plain(file.name)) || say("name");
    const img = this.part("img");
    img.alt = say("preview", { name: this.name });
    img.src = this.address ?? sample.querySelector("img").src;
    img.addEventListener("error", () => { img.hidden = true; });
    this.part(".file").textContent = this.name;
    this.part("progress").setAttribute("aria-label", say("progress", { name: this.name }));
    this.part(".cancel").textContent = say("cancel");
    this.part(".cancel").addEventListener("click", () => this.cancel());
    this.part(".retry").addEventListener("click", () => this.again());
    this.state(say("queued"));
  }

  state(title, why = "", busy = true) {
    this.part(".label").textContent = title;
    this.part(".label").classList.toggle("busy", busy);
    this.part(".why").textContent = why;
  }

  note(text) { this.part(".note").textContent = text; }

  buttons(cancel, retry) {
    this.part(".cancel").hidden = !cancel;
    this.part(".retry").hidden = !retry;
    this.part(".retry").textContent = cancel ? say("now") : say("retry");
  }

  cancel() {
    this.stop?.abort();
    queue.delete(this);
    this.rest(say("stopped"), "");
    this.part(".retry").focus();
  }

  again() {
    if (this.hurry) { this.hurry.abort(); return; }
    this.buttons(true, false);
    this.part(".says").classList.remove("fault");
    this.state(say("queued"));
    enqueue(this);
    this.part(".cancel").focus();
  }

  // rest is a state in which nothing happens until a person acts.
  rest(title, why, retry = true) {
    this.part("progress").hidden = true;
    this.state(title, why, false);
    this.note("");
    this.buttons(false, retry);
    announce(say("done", { name: this.name, answer: `${title} ${why}` }));
  }

  refuse(title, why, retry) {
    this.part(".says").classList.add("fault");
    this.rest(title, why, retry);
  }

  async run() {
    this.stop = new AbortController();
    try {
      this.state(say("reading"));
      this.parcel ??= await prepare(this.file, form.querySelector("#original").checked);
      for (let number = 1; ; number++) {
        const answer = await this.send();
        if (answer.status === 201) { return this.done(answer.html); }
        if (!answer.retry) { return this.failed(answer, false); }
        if (number === attempts) { this.failed(answer, true); return this.note(say("gaveup", { number })); }
        await this.pause(answer, number + 1);
      }
    } catch (fault) {
      if (this.stop.signal.aborted) { return undefined; }
      return this.refuse(fault.title ?? say("offline"), fault.title ? fault.message : say("offline2"), !fault.title);
    }
  }

  async send() {
    const bar = this.part("progress");
    const { signal } = this.stop;
    this.part(".says").classList.remove("fault");
    this.buttons(true, false);
    this.note(this.parcel.note);
    bar.hidden = false;
    const patience = new AbortController();
    const asked = () => wait(1e6, patience.signal, (left) => {
      const seconds = 1e6 - left;
      if (seconds >= 5) { this.state(say("asking"), say("slow", { seconds })); }
    }).catch(() => {}); // the answer came
    try {
      return await upload(this.parcel, this.key, signal, (part) => {
        bar.value = part * 100;
        if (part < 1) { this.state(say("sending", { percent: Math.floor(part * 100) })); return; }
        if (bar.hidden) { return; }
        bar.hidden = true;
        this.state(say("asking"));
        asked();
      });
    } finally {
      patience.abort();
      bar.hidden = true;
    }
  }

  // words of a refusal, as the server put them.
  words(answer) {
    const part = answer.html ? parse(answer.html) : null;
    const text = (selector) => part?.querySelector(selector)?.textContent.trim();
    return [text("h2") ?? say("offline"), text(".why") ?? say("offline2")];
  }

  failed(answer, retry) { this.refuse(...this.words(answer), retry); }

  // pause shows why it waits, and counts down to the next attempt.
  async pause(answer, number) {
    const [title, why] = this.words(answer);
    this.state(title, why);
    this.buttons(true, true);
    announce(say("done", { name: this.name, answer: `${title} ${why}` }));
    this.hurry = new AbortController();
    this.stop.signal.addEventListener("abort", () => this.hurry?.abort());
    try {
      await wait(answer.retry, this.hurry.signal, (seconds) => this.note(say("again", { seconds, number })));
    } catch (reason) {
      if (this.stop.signal.aborted) { throw reason; } // else: try now
    } finally {
      this.hurry = null;
    }
  }

  done(html) {
    const card = parse(html);
    const img = card.querySelector(".photo img");
    if (img && this.address) {
      img.src = this.address; // it is here already
      img.addEventListener("error", () => { img.src = img.parentElement.href; }, { once: true });
    }
    const focused = this.card.contains(document.activeElement);
    this.card.replaceWith(card);
    listenForFeedback(card);
    if (focused) { card.querySelector("a")?.focus(); }
    const text = (selector) => card.querySelector(selector)?.textContent ?? "";
    announce(say("done", { name: this.name, answer: `${text("h2")}. ${text(".lead, .why")}` }));
  }
}

const queue = new Set();
let running = 0;

function enqueue(job) {
  queue.add(job);
  next();
}

function next() {
  for (const job of queue) {
    if (running >= together) { return; }
    queue.delete(job);
    running++;
    job.run().finally(() => { running--; next(); });
  }
}

function take(files) {
  const most = Number(form.dataset.most);
  const jobs = Array.from(files).slice(0, most).map((file) => new Job(file));
  if (files.length > most) { announce(`${say("many")}. ${say("many2", { most })}`); }
  start(jobs);
}

function start(jobs) {
  if (jobs.length === 0) { return; }
  const results = document.querySelector("#results");
  results.hidden = false;
  document.querySelector("#try")?.setAttribute("hidden", "");
  results.prepend(...jobs.map((job) => job.card));
  // Two frames later: moved and scrolled at once would count as a jump.
  requestAnimationFrame(() => requestAnimationFrame(() => results.scrollIntoView({ block: "nearest" })));
  jobs.forEach(enqueue);
}

function listenForFeedback(root) {
  for (const feedback of root.querySelectorAll("form[data-api]")) {
    feedback.addEventListener("submit", async (event) => {
      if (!form) { return; } // a permalink: the plain form serves
      event.preventDefault();
      const done = document.createElement("p");
      done.className = "fine";
      done.setAttribute("role", "status");
      feedback.after(done);
      try {
        const answer = await fetch(feedback.dataset.api, {
          method: "POST", headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ label: feedback.elements.label.value }),
        });
        feedback.hidden = answer.ok;
        done.textContent = answer.ok ? say("thanks") : say("notsent");
      } catch {
        done.textContent = say("notsent");
      }
    });
  }
}

function listenForPictures() {
  document.querySelector("form.samples")?.addEventListener("submit", (event) => {
    event.preventDefault();
    start([new Job(null, event.submitter)]);
  });
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => { take(Array.from(input.files)); input.value = ""; });
  }
  const over = document.querySelector(".over");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) { event.preventDefault(); over.hidden = false; }
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) { over.hidden = true; } });
  document.addEventListener("drop", (event) => {
    over.hidden = true;
    if (carriesFiles(event)) { event.preventDefault(); take(event.dataTransfer.files); }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) { event.preventDefault(); take(event.clipboardData.files); }
  });
}

if (form) { listenForPictures(); }
