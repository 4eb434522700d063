/**
 * What the page does by itself: moves among bars by keyboard, says what a bar
 * is, and zooms. One self-contained function, shipped as its own source.
 *
 * @module
 */

/** The little of a browser that the script needs; Deno's types have none. */
interface PageElement {
  textContent: string;
  tabIndex: number;
  scrollLeft: number;
  clientWidth: number;
  offsetLeft: number;
  offsetWidth: number;
  dataset: Record<string, string>;
  style: { setProperty(name: string, value: string): void };
  getAttribute(name: string): string;
  getBoundingClientRect(): { left: number; right: number };
  querySelector(selector: string): PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
  closest(selector: string): PageElement | null;
  focus(): void;
  addEventListener(
    type: string,
    listener: (event: PageEvent) => void,
    options?: { passive: boolean },
  ): void;
}

interface PageEvent {
  target: PageElement;
  key: string;
  deltaY: number;
  clientX: number;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  preventDefault(): void;
}

/** Runs in the page. */
export function pageMain(): void {
  const { document } = globalThis as unknown as { document: PageElement };
  for (const chart of document.querySelectorAll(".chart")) wake(chart);

  function wake(chart: PageElement): void {
    const scroll = chart.querySelector(".scroll");
    const plane = chart.querySelector(".plane");
    const readout = chart.querySelector(".readout");
    const hint = readout.textContent;
    const rows = [...chart.querySelectorAll(".row")].map((row) => [
      ...row.querySelectorAll(".bar"),
    ]).filter((row) => row.length > 0);
    let current = rows[0]?.[0] as PageElement;
    let zoom = 1;
    if (current !== undefined) current.tabIndex = 0;

    function show(bar: PageElement | null): void {
      readout.textContent = bar ? bar.getAttribute("aria-label") : hint;
    }

    /** The bar of another row at the same time, or the nearest. */
    function beside(row: PageElement[] | undefined): PageElement | undefined {
      const place = (bar: PageElement) => {
        const { left, right } = bar.getBoundingClientRect();
        return (left + right) / 2;
      };
      const from = place(current);
      const far = (bar: PageElement) => Math.abs(place(bar) - from);
      return row?.reduce((best, bar) => far(bar) < far(best) ? bar : best);
    }

    function zoomTo(next: number, centre: number): void {
      next = Math.min(64, Math.max(1, next));
      const before = scroll.scrollLeft + centre;
      const width = plane.offsetWidth;
      zoom = next;
      plane.style.setProperty("--zoom", String(zoom));
      scroll.scrollLeft = before * plane.offsetWidth / width - centre;
      chart.dataset.zoom = zoom < 4 ? "" : zoom < 16 ? "1" : "2"; // finer ticks
    }

    // Whatever moved the focus: Tab comes back to the bar that had it last.
    chart.addEventListener("focusin", ({ target }) => {
      const bar = target.closest(".bar");
      if (bar === null) return;
      current.tabIndex = -1;
      current = bar;
      current.tabIndex = 0;
      show(bar);
    });
    chart.addEventListener("focusout", () => show(null));
    chart.addEventListener("mouseover", ({ target }) => {
      const bar = target.closest(".bar");
      if (bar !== null) show(bar);
    });
    chart.addEventListener("mouseout", () => show(null));
    chart.addEventListener("click", ({ target }) => {
      const bar = target.closest(".bar");
      if (bar !== null) show(bar);
      const button = target.closest(".zoom button");
      if (button === null) return;
      const by = Number(button.dataset.by);
      zoomTo(by === 0 ? 1 : zoom * by, scroll.clientWidth / 2);
    });
    chart.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest(".bar") === null) return;
      const at = rows.findIndex((row) => row.includes(current));
      const row = rows[at]!;
      const column = row.indexOf(current);
      const middle = current.offsetLeft + current.offsetWidth / 2 -
        scroll.scrollLeft;
      const actions: Record<string, () => void> = {
        ArrowRight: () => row[column + 1]?.focus(),
        ArrowLeft: () => row[column - 1]?.focus(),
        ArrowDown: () => beside(rows[at + 1])?.focus(),
        ArrowUp: () => beside(rows[at - 1])?.focus(),
        Home: () => row[0]?.focus(),
        End: () => row.at(-1)?.focus(),
        "+": () => zoomTo(zoom * 2, middle),
        "-": () => zoomTo(zoom / 2, middle),
        "0": () => zoomTo(1, 0),
      };
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    });
    scroll.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { left } = scroll.getBoundingClientRect();
      zoomTo(zoom * Math.exp(-event.deltaY / 200), event.clientX - left);
    }, { passive: false });
  }

  /** A link to a slow input focuses its bar. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-bar]");
    if (link === null) return;
    event.preventDefault();
    document.querySelector(`#${link.dataset.bar}`)?.focus();
  });
}
