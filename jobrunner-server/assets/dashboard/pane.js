// Output that grows, line by line, as the server writes it for a job that has ended.

/// How many characters are shown in full, and how many of the head and of the tail of longer output.
const WHOLE = 5e6, PART = 1e6;

/// So many lines make a block; a block of long lines has fewer. A browser lays out a full one of short lines only
/// where it is seen: how high it is is known, and how wide it may be.
const BLOCK_LINES = 500, BLOCK_SIZE = 65_536, SHORT = /^[ -~]{0,110}$/;

export class Pane {
  constructor(log) {
    this.log = log;
    this.name = log.dataset.stream;
    this.empty();
  }

  /// Begins again.
  empty() {
    this.log.replaceChildren();
    Object.assign(this, { blocks: [], open: {}, count: 0, size: 0, omitted: 0, gap: null });
  }

  /// Adds output. A line that was begun goes on where it stands, whatever the other stream wrote since; `over` says
  /// that it is written anew.
  append({ stream, html, over }) {
    const open = this.open[stream];
    if (over && open) {
      this.#count(open.block, -open.element.textContent.length);
      open.element.replaceChildren();
    }
    const lines = html.split("\n");
    const rest = lines.pop();
    if (open) {
      const goesOn = lines.length === 0;
      const text = goesOn ? rest : lines.shift();
      open.element.insertAdjacentHTML("beforeend", text);
      open.block.element.classList.remove("full");
      this.#count(open.block, text.length);
      if (goesOn) {
        this.#trim();
        return;
      }
      delete this.open[stream];
    }
    const isMarked = stream === "stderr" && this.name === "both";
    this.#add(lines, isMarked);
    if (rest !== "") this.open[stream] = this.#add([rest], isMarked);
    this.#trim();
  }

  /// A line of the page's own, on which nothing goes on.
  say(stream, text) {
    this.open = {};
    this.append({ stream, html: `${text}\n` });
  }

  /// Adds lines, and answers with the last of them. The server has made safe HTML of them: text and spans with
  /// classes.
  #add(lines, isMarked) {
    const mark = isMarked ? ' class="err" aria-description="stderr"' : "";
    let html = "";
    const put = () => {
      if (html) this.blocks.at(-1).element.insertAdjacentHTML("beforeend", html);
      html = "";
    };
    for (const text of lines) {
      const last = this.blocks.at(-1);
      if (!last || last.lines === BLOCK_LINES || last.size > BLOCK_SIZE) {
        put();
        this.#begin(last);
      }
      const block = this.blocks.at(-1);
      this.count += 1;
      block.lines += 1;
      this.#count(block, text.length + 1);
      html += `<li id="${this.name}-${this.count}"${mark}>${text}</li>`;
    }
    put();
    const block = this.blocks.at(-1);
    return { element: block?.element.lastElementChild, block };
  }

  #count(block, characters) {
    block.size += characters;
    this.size += characters;
  }

  #begin(last) {
    if (last?.lines === BLOCK_LINES && [...last.element.children].every((line) => SHORT.test(line.textContent))) {
      last.element.classList.add("full");
    }
    const element = Object.assign(document.createElement("ol"), { className: "lines", start: this.count + 1 });
    this.blocks.push({ element, lines: 0, size: 0 });
    this.log.append(element);
  }

  /// Keeps within what a browser bears: of longer output, blocks behind the head and before the tail go.
  #trim() {
    if (this.size <= WHOLE || this.blocks.length < 2) return;
    if (!this.gap) {
      let head = 0;
      while (head < PART && this.blocks.length > 1) head += this.blocks.shift().size;
      this.size -= head;
      this.gap = Object.assign(document.createElement("p"), { className: "gap" });
      this.blocks[0].element.before(this.gap);
    }
    while (this.size > PART && this.blocks.length > 1) {
      const { element, size } = this.blocks.shift();
      element.remove();
      this.size -= size;
      this.omitted += size;
    }
    for (const [stream, { element }] of Object.entries(this.open)) if (!element.isConnected) delete this.open[stream];
    this.gap.textContent = `${this.omitted.toLocaleString("en")} characters are not shown here: download all by “raw”.`;
  }
}
