// The WebSocket to the server: the token first, then one message per frame and one answer to each.

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

class Connection {
  /** `onAnswer` receives parsed answers, `onChange` is called when `isReady` changes. */
  constructor(path, token, { onAnswer, onChange }) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    Object.assign(this, { url, token, onAnswer, onChange, isReady: false, wasReady: false, failures: 0 });
    this.open();
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      socket.send(this.token);
      this.isReady = true;
      this.onChange();
    };
    socket.onmessage = (message) => {
      this.failures = 0;
      this.onAnswer(JSON.parse(message.data));
    };
    socket.onclose = () => {
      this.isReady = false;
      const delay = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
      this.timer = setTimeout(() => this.open(), delay);
      this.onChange();
    };
  }

  send(frame) {
    this.socket.send(frame);
  }

  close() {
    clearTimeout(this.timer);
    this.socket.onclose = this.socket.onmessage = this.socket.onopen = null;
    this.socket.close();
    this.isReady = false;
  }
}
