// What can be done with the report: sort tables, hide backends, look at one cell's rounds. The
// address after # keeps it, so that a view can be passed on: #hide=a,b&sort=headline:2&cell=ID.
// Without this script everything stands there, only nothing moves.
"use strict";
(() => {
    const data = JSON.parse(document.getElementById("data").textContent);
    const backends = new Set(data.backends);
    const state = { hide: new Set(), sort: new Map(), cell: "", verdict: "" };

    // ---- The address ---------------------------------------------------------------------------

    function read() {
        state.hide.clear();
        state.sort.clear();
        state.cell = state.verdict = "";
        for (const part of location.hash.slice(1).split("&")) {
            const at = part.indexOf("=");
            if (at < 0) continue;
            const value = decodeURIComponent(part.slice(at + 1));
            switch (part.slice(0, at)) {
            case "hide":
                for (const name of value.split(",")) if (backends.has(name)) state.hide.add(name);
                break;
            case "sort": {
                const [table, column] = value.split(":");
                state.sort.set(table, Number(column));
                break;
            }
            case "cell":
                state.cell = value;
                break;
            case "verdict":
                state.verdict = value;
                break;
            }
        }
    }

    function keep() {
        const parts = [];
        if (state.hide.size) parts.push("hide=" + [...state.hide].map(encodeURIComponent).join(","));
        for (const [table, column] of state.sort) parts.push(`sort=${table}:${column}`);
        if (state.cell) parts.push("cell=" + encodeURIComponent(state.cell));
        if (state.verdict) parts.push("verdict=" + encodeURIComponent(state.verdict));
        history.replaceState(null, "", "#" + parts.join("&"));
    }

    // ---- Tables --------------------------------------------------------------------------------

    // A number sorts by data-v, a text by itself; what has no value comes last, either way.
    function key(cell, number) {
        if (!number) return cell.textContent.trim();
        return cell.dataset.v === undefined ? NaN : Number(cell.dataset.v);
    }

    // Column 0 sorts by the first one upwards, -1 downwards; 1 and -2 the second, and so on.
    function sort(table, column) {
        const down = column < 0, index = down ? -column - 1 : column;
        const head = table.tHead.rows[0].cells, body = table.tBodies[0];
        if (!(index < head.length)) return;
        for (const cell of head) cell.removeAttribute("aria-sort");
        head[index].setAttribute("aria-sort", down ? "descending" : "ascending");
        const number = head[index].classList.contains("n");
        const rows = [...body.rows].filter((row) => !row.classList.contains("g"));
        for (const row of body.querySelectorAll("tr.g")) row.hidden = true;
        const keyed = rows.map((row, i) => [key(row.cells[index], number), i, row]);
        keyed.sort((a, b) => {
            if (number && (isNaN(a[0]) || isNaN(b[0]))) return isNaN(a[0]) - isNaN(b[0]) || a[1] - b[1];
            const order = number ? a[0] - b[0] : a[0].localeCompare(b[0], "en", { numeric: true });
            return (down ? -order : order) || a[1] - b[1];
        });
        for (const entry of keyed) body.append(entry[2]);
    }

    function prepare(table) {
        [...table.tHead.rows[0].cells].forEach((cell, index) => {
            const button = document.createElement("button");
            button.type = "button";
            button.title = "sort";
            button.append(...cell.childNodes);
            cell.append(button);
            button.addEventListener("click", () => {
                const down = cell.getAttribute("aria-sort") === "ascending";
                const column = down ? -index - 1 : index;
                state.sort.set(table.id, column);
                sort(table, column);
                keep();
            });
        });
        for (const row of table.tBodies[0].rows) {
            const named = [...row.cells].find((cell) => backends.has(cell.textContent.trim()));
            if (named) row.dataset.b = named.textContent.trim();
        }
    }

    // ---- Backends shown and hidden -------------------------------------------------------------

    const show = (element, shown) => { element.style.display = shown ? "" : "none"; };

    // What belongs to a name in a drawing: a line is a group of its own, and its label has a thin line
    // that leads to it; where a backend is a row, it is all that lies at its name's height. Looked up
    // once, while everything is shown.
    function partsOf(figure) {
        const svg = figure.querySelector("svg"), names = figure.dataset.series.split(",");
        const scale = svg.getBoundingClientRect().height / svg.viewBox.baseVal.height;
        const place = (element) => element.getBoundingClientRect();
        const middle = (box) => (box.top + box.bottom) / 2;
        const texts = [...svg.querySelectorAll("text")];
        const groups = [...svg.querySelectorAll("g[id*=_plot_]")];
        const rows = figure.dataset.rows === "yes";
        const others = rows
            ? [...texts, ...groups.flatMap((group) => [...group.querySelectorAll("use, path, polygon")])]
            : [...svg.querySelectorAll("path")].filter((path) => !path.closest("g[id*=_plot_]"));
        const boxes = others.map(place);
        return new Map(names.map((name, index) => {
            const labels = texts.filter((text) => text.textContent.trim() === name);
            const parts = [...labels];
            if (!rows)
                for (let at = index; at < groups.length; at += names.length) parts.push(groups[at]);
            for (const box of labels.map(place)) others.forEach((element, i) => {
                const there = boxes[i], near = 8 * scale;
                const leads = Math.abs(there.right - box.left) < near && there.width < 60 * scale &&
                    (Math.abs(there.top - middle(box)) < near || Math.abs(there.bottom - middle(box)) < near);
                if (rows ? Math.abs(middle(there) - middle(box)) < near : leads) parts.push(element);
            });
            return [name, parts];
        }));
    }

    const partsByFigure = new Map();
    function hideInPlot(figure) {
        if (!partsByFigure.has(figure) && state.hide.size) partsByFigure.set(figure, partsOf(figure));
        for (const [name, parts] of partsByFigure.get(figure) || [])
            for (const part of parts) show(part, !state.hide.has(name));
    }

    // A group's heading goes with its last row.
    function hideHeadings(body) {
        let heading = null, any = false;
        const end = () => { if (heading) heading.hidden = !any; };
        for (const row of body.rows) {
            if (row.classList.contains("g")) {
                end();
                heading = row;
                any = false;
            } else {
                any = any || !row.hidden;
            }
        }
        end();
    }

    function hide() {
        for (const row of document.querySelectorAll("tr[data-b]"))
            row.hidden = state.hide.has(row.dataset.b);
        for (const table of document.querySelectorAll("table"))
            if (!table.tHead.querySelector("[aria-sort]")) hideHeadings(table.tBodies[0]);
        for (const figure of document.querySelectorAll("figure[data-series]")) hideInPlot(figure);
        for (const box of document.querySelectorAll("#legend input")) box.checked = !state.hide.has(box.value);
    }

    // ---- One cell's rounds ---------------------------------------------------------------------

    const make = (name, attributes, text) => {
        const element = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
        if (text !== undefined) element.textContent = text;
        return element;
    };

    function drawing(cell) {
        const width = 700, height = 240, left = 70, bottom = 40;
        const values = cell.values.filter((v) => v !== null);
        let low = Math.min(...values), high = Math.max(...values);
        const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
        low -= room;
        high += room;
        const x = (i) => left + ((width - left - 20) * (i + 0.5)) / cell.values.length;
        const y = (v) => 15 + (height - bottom - 15) * (1 - (v - low) / (high - low));
        const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
            "aria-label": `rounds of ${cell.id}`, width, height });
        svg.append(make("line", { x1: left, x2: width - 20, y1: height - bottom, y2: height - bottom, stroke: "#555" }));
        for (const v of [low + room, (low + high) / 2, high - room]) {
            svg.append(make("line", { x1: left, x2: width - 20, y1: y(v), y2: y(v), stroke: "#ddd" }));
            svg.append(make("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end", "font-size": 12 },
                v.toPrecision(4)));
        }
        if (cell.estimate !== null)
            svg.append(make("line", { x1: left, x2: width - 20, y1: y(cell.estimate), y2: y(cell.estimate),
                stroke: "#00558a", "stroke-dasharray": "6 4" }));
        const colours = ["#00558a", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00"];
        cell.values.forEach((v, i) => {
            if (v === null) return;
            const dot = make("circle", { cx: x(i), cy: y(v), r: 4.5,
                fill: colours[data.links[i] % colours.length] });
            dot.append(make("title", {}, `round ${data.rounds[i]}, link ${data.links[i]}: ${v} ${cell.unit}`));
            svg.append(dot);
        });
        svg.append(make("text", { x: (left + width) / 2, y: height - 8, "text-anchor": "middle", "font-size": 12 },
            "round; a colour for each link of the program; dashed: what the tables show"));
        return svg;
    }

    function showCell() {
        const place = document.getElementById("rounds");
        const input = document.getElementById("cell");
        place.replaceChildren();
        if (!state.cell) return;
        input.value = state.cell;
        const cell = data.cells.find((c) => c.id === state.cell);
        const words = document.createElement("p");
        if (!cell) {
            words.textContent = `There is no measured cell ${state.cell} in this run.`;
            place.append(words);
            return;
        }
        words.textContent = `${cell.id}: ${cell.metric} in ${cell.unit}` +
            (cell.flags ? ` (${cell.flags.replaceAll(";", ", ")})` : "") +
            `. Where it comes from: corobench explain '${cell.id}'`;
        place.append(words, drawing(cell));
    }

    function chooseCell(id) {
        state.cell = id;
        showCell();
        keep();
    }

    // ---- Claims --------------------------------------------------------------------------------

    function showVerdict() {
        const table = document.getElementById("claims"), choice = document.getElementById("verdict");
        if (!table || !choice) return;
        choice.value = state.verdict;
        for (const row of table.tBodies[0].rows)
            if (!row.classList.contains("g"))
                row.hidden = state.verdict !== "" &&
                    ![...row.cells].some((cell) => cell.textContent.trim() === state.verdict);
    }

    function offerVerdicts() {
        const table = document.getElementById("claims"), choice = document.getElementById("verdict");
        if (!table || !choice) return;
        const words = ["supported", "refuted", "depends", "not testable", "missing cell", "undecided"];
        const there = new Set([...table.tBodies[0].querySelectorAll("td")].map((c) => c.textContent.trim()));
        for (const word of words)
            if (there.has(word)) choice.append(new Option(word, word));
        choice.addEventListener("change", () => {
            state.verdict = choice.value;
            showVerdict();
            keep();
        });
    }

    // ---- Begin ---------------------------------------------------------------------------------

    function apply() {
        read();
        for (const [id, column] of state.sort) {
            const table = document.getElementById(id);
            if (table && table.tHead) sort(table, column);
        }
        hide();
        showCell();
        showVerdict();
    }

    for (const element of document.querySelectorAll(".controls")) element.hidden = false;
    for (const table of document.querySelectorAll("table")) prepare(table);
    const list = document.getElementById("cells");
    for (const cell of data.cells) list.append(new Option(cell.id, cell.id));
    document.getElementById("cell").addEventListener("change", (event) => chooseCell(event.target.value));
    document.addEventListener("click", (event) => {
        const link = event.target.closest("a[data-c]");
        if (!link) return;
        event.preventDefault();
        chooseCell(data.cells[Number(link.dataset.c)].id);
        document.getElementById("history").scrollIntoView();
        document.getElementById("cell").focus({ preventScroll: true });
    });
    document.getElementById("legend").addEventListener("change", (event) => {
        if (event.target.checked) state.hide.delete(event.target.value);
        else state.hide.add(event.target.value);
        hide();
        keep();
    });
    document.getElementById("all").addEventListener("click", () => {
        state.hide.clear();
        hide();
        keep();
    });
    document.getElementById("none").addEventListener("click", () => {
        for (const name of backends) state.hide.add(name);
        hide();
        keep();
    });
    offerVerdicts();
    addEventListener("hashchange", () => { if (location.hash.includes("=")) apply(); });
    // What is folded would be missing on paper.
    addEventListener("beforeprint", () => {
        for (const details of document.querySelectorAll("details")) details.open = true;
    });
    apply();
})();
