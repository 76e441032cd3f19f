// Features that Streamlit's widgets lack: pasting a photo, and clicks on the picture above a button.
if (!window.ferscopePhotoInput) {
  window.ferscopePhotoInput = true;
  // While a page is loading, its uploader is not yet there.
  const UPLOADER_WAIT_MS = 10_000;
  const upload = (files, deadline) => {
    const input = document.querySelector('[data-testid="stFileUploader"] input[type="file"]');
    if (input) {
      input.files = files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (Date.now() < deadline) {
      setTimeout(upload, 100, files, deadline);
    }
  };
  document.addEventListener("paste", (event) => {
    const transfer = new DataTransfer();
    [...event.clipboardData.files]
      .filter((file) => file.type.startsWith("image/"))
      .forEach((file) => transfer.items.add(file));
    if (transfer.files.length) upload(transfer.files, Date.now() + UPLOADER_WAIT_MS);
  });
  document.addEventListener("click", (event) => {
    const card = event.target.closest('[class*="st-key-clickable-"]');
    if (card && event.target.tagName === "IMG") card.querySelector(".stButton button").click();
  });
}
