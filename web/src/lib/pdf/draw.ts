import { TextLayer, type PDFPageProxy, type RenderTask } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** Points of a page as it is drawn: more would take memory that nobody sees. */
const POINTS_MAX = 8_000_000;

/** A page on its way onto a canvas. */
export class Drawing {
  readonly canvas = document.createElement('canvas');
  readonly words = document.createElement('div');
  readonly done: Promise<void>;
  readonly #task: RenderTask;
  #layer: TextLayer | undefined;
  #over = false;

  /** `width`: of the page, in CSS pixels. */
  constructor(page: PDFPageProxy, width: number) {
    const scale = width / page.getViewport({ scale: 1 }).width;
    const viewport = page.getViewport({ scale });
    const sharp = Math.min(devicePixelRatio, Math.sqrt(POINTS_MAX / (viewport.width * viewport.height)));
    const { canvas } = this;
    canvas.width = Math.max(1, Math.floor(viewport.width * sharp));
    canvas.height = Math.max(1, Math.floor(viewport.height * sharp));
    this.#task = page.render({ canvas, viewport, transform: [sharp, 0, 0, sharp, 0, 0] });
    this.done = this.#task.promise.then(() => this.#write(page, scale));
  }

  /** Stops, and gives the memory back at once: a canvas that is only forgotten keeps it for a while. */
  end(): void {
    this.#over = true;
    this.#task.cancel();
    this.#layer?.cancel();
    this.canvas.width = this.canvas.height = 0;
  }

  /** Puts the page's words over it, unseen: to be selected, copied, and read aloud. */
  async #write(page: PDFPageProxy, scale: number): Promise<void> {
    if (this.#over) return;
    const viewport = page.getViewport({ scale });
    this.words.className = 'pdf-words';
    this.words.style.setProperty('--total-scale-factor', String(scale));
    this.#layer = new TextLayer({ textContentSource: page.streamTextContent(), container: this.words, viewport });
    // A page without its words is still a page.
    await this.#layer.render().catch(() => undefined);
  }
}
