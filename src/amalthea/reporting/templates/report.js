"use strict";
(() => {
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const root = document.documentElement;
  // Okabe and Ito's colours; on dark paper the dark ones are lightened.
  const palettes = {
    light: { paper: "#ffffff", ink: "#1b1f24", muted: "#59636e", grid: "#e3e7eb", low: "#f3f6f9", high: "#0072b2",
      blue: "#0072b2", orange: "#d55e00", green: "#009e73", purple: "#cc79a7", sky: "#56b4e9", red: "#8c3b00" },
    dark: { paper: "#14181d", ink: "#e6e9ed", muted: "#a3adb8", grid: "#2d353e", low: "#1d232a", high: "#2f9be0",
      blue: "#56b4e9", orange: "#f09a4a", green: "#2ec79a", purple: "#e0a3c6", sky: "#9fd6f7", red: "#f2c14e" },
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const theme = () => chosen || (dark.matches ? "dark" : "light");

  function rgba(hex, percent) {
    const channels = [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
    return `rgba(${channels.join(",")},${percent / 100})`;
  }

  /* Colours are given by name, "@blue" or "@blue/20": the palette is the theme's. */
  function coloured(value, palette, key) {
    if (key === "text" || key === "ticktext" || key === "name") return value;
    if (typeof value === "string") {
      const found = /^@([a-z]+)(?:\/(\d+))?$/.exec(value);
      if (key === "colorscale" && value === "heat") return [[0, palette.low], [1, palette.high]];
      if (!found) return value;
      return found[2] ? rgba(palette[found[1]], Number(found[2])) : palette[found[1]];
    }
    if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((each) => coloured(each, palette));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, coloured(each, palette, name)]));
    }
    return value;
  }

  function figure(name, colours, narrow) {
    const plot = page.plots[name];
    const palette = palettes[colours];
    const own = coloured(plot.layout, palette);
    const common = { gridcolor: palette.grid, linecolor: palette.muted, zerolinecolor: palette.grid, automargin: true };
    const axis = (given) => ({ ...common, ...given, title: { ...given.title, standoff: 8 } });
    const legend = { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 12 } };
    return {
      data: coloured(plot.traces, palette),
      layout: {
        paper_bgcolor: palette.paper, plot_bgcolor: palette.paper, separators: page.separators,
        font: { color: palette.ink, family: "system-ui, sans-serif", size: narrow ? 12 : 13 },
        hovermode: "closest", dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
        legend, height: plot.height, autosize: true,
        ...own, margin: { l: 55, r: 15, t: 20, b: 50, ...own.margin },
        xaxis: axis(own.xaxis), yaxis: axis(own.yaxis),
      },
      config: { responsive: true, displayModeBar: false, showTips: false },
    };
  }

  /* The drawings, unpacked when the page opens. */
  let drawings = null;
  async function unpack() {
    if (page.gallery.kind !== "list") return;
    if (typeof DecompressionStream === "undefined") return;
    const bytes = Uint8Array.from(atob(page.gallery.content), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    drawings = JSON.parse(await new Response(stream).text());
  }

  function picture(number) {
    const gallery = page.gallery;
    if (gallery.kind === "none") return null;
    if (number >= gallery.count) return paragraph(page.words["not drawn"], "hint");
    if (gallery.kind === "sheet") return tile(number);
    if (!drawings) return paragraph(page.words["old browser"], "hint");
    const drawing = drawings[number];
    const isSvg = drawing.startsWith("<svg");
    if (!isSvg && !drawing.startsWith("data:image/")) {
      const text = document.createElement("pre");
      text.textContent = drawing;
      return text;
    }
    const image = document.createElement("img"); // as an image, SVG runs no script
    image.className = "picture";
    image.alt = "";
    image.src = isSvg ? "data:image/svg+xml;charset=utf-8," + encodeURIComponent(drawing) : drawing;
    return image;
  }

  function tile(number) {
    const { width, height, across, count, content } = page.gallery;
    const scale = Math.max(1, Math.floor(160 / Math.max(width, height)));
    const box = document.createElement("div");
    box.className = "sheet";
    box.style.width = `${width * scale}px`;
    box.style.height = `${height * scale}px`;
    box.style.backgroundImage = `url(${content})`;
    box.style.backgroundSize = `${width * across * scale}px ${height * Math.ceil(count / across) * scale}px`;
    const [row, column] = [Math.floor(number / across), number % across];
    box.style.backgroundPosition = `-${column * width * scale}px -${row * height * scale}px`;
    return box;
  }

  function paragraph(text, kind) {
    const made = document.createElement("p");
    if (kind) made.className = kind;
    made.textContent = text;
    return made;
  }

  function pointAt(canvas, plot, event) {
    const point = event.points.find((each) => plot.examples[each.curveNumber]);
    if (!point) return;
    const [number, text] = plot.examples[point.curveNumber][point.pointNumber];
    const panel = canvas.parentElement.querySelector(".pointed");
    panel.replaceChildren(...[picture(number), paragraph(text)].filter(Boolean));
  }

  async function draw(canvas) {
    const name = canvas.dataset.plot;
    const { data, layout, config } = figure(name, theme(), canvas.clientWidth < 500);
    await Plotly.react(canvas, data, layout, config);
    const plot = page.plots[name];
    if (plot.examples.length && !canvas.dataset.points) {
      canvas.dataset.points = "yes";
      canvas.on("plotly_hover", (event) => pointAt(canvas, plot, event));
      canvas.on("plotly_click", (event) => pointAt(canvas, plot, event));
    }
  }

  const canvases = [...document.querySelectorAll(".canvas")];
  async function drawAll() {
    root.dataset.theme = theme();
    for (const canvas of canvases) await draw(canvas);
  }

  function save(name, content, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function csv(table) {
    const names = Object.keys(table);
    const cell = (value) => {
      const text = value === null ? "" : String(value);
      return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const rows = table[names[0]].map((_, row) => names.map((name) => cell(table[name][row])).join(","));
    return [names.map(cell).join(","), ...rows].join("\n") + "\n";
  }

  async function svg(name) {
    const { data, layout } = figure(name, "light", false);
    const title = { text: page.plots[name].title.replace(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[sign]) };
    const url = await Plotly.toImage({ data, layout: { ...layout, title, margin: { ...layout.margin, t: 70 } } },
      { format: "svg", width: 900, height: page.plots[name].height + 60 });
    return decodeURIComponent(url.slice(url.indexOf(",") + 1));
  }

  document.addEventListener("click", async (event) => {
    const { export: kind, of: name } = event.target.dataset || {};
    if (kind === "csv") save(`${name}.csv`, csv(page.plots[name].table), "text/csv;charset=utf-8");
    if (kind === "svg") save(`${name}.svg`, await svg(name), "image/svg+xml");
  });
  document.getElementById("theme").addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    drawAll();
  });
  dark.addEventListener("change", drawAll);

  /* Paper is light, and as wide as A4; two figures fit below each other, but those with a line for each name stay high. */
  addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    for (const canvas of canvases) {
      const { data, layout } = figure(canvas.dataset.plot, "light", false);
      const height = layout.height > 500 ? layout.height : Math.max(170, 0.82 * layout.height);
      canvas.style.height = `${height}px`;
      const size = { autosize: false, height, width: canvas.closest(".half") ? 325 : 660 };
      Plotly.react(canvas, data, { ...layout, ...size }, { displayModeBar: false });
    }
  });
  addEventListener("afterprint", () => {
    for (const canvas of canvases) canvas.style.height = `${page.plots[canvas.dataset.plot].height}px`;
    drawAll();
  });

  root.dataset.theme = theme();
  Promise.all([unpack(), drawAll()]).then(() => { root.dataset.ready = "yes"; });
})();
