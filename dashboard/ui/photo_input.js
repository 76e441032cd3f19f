// Features that Streamlit's widgets lack: pasting a photo, and clicks on the picture above a button.
if (!window.ferscopePhotoInput) {
  window.ferscopePhotoInput = true;
  // While a page is loading, its uploader for photos is not yet there. Some pages have none, or uploaders for other files.
  const UPLOADER_WAIT_MS = 10_000;
  const upload = (files, path, deadline) => {
    if (location.pathname !== path) return; // the photo was pasted into another page
    const input = document.querySelector('[class*="st-key-uploads"] input[type="file"]');
    if (input) {
      input.files = files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (Date.now() < deadline) {
      setTimeout(upload, 100, files, path, deadline);
    }
  };
  document.addEventListener("paste", (event) => {
    const transfer = new DataTransfer();
    [...event.clipboardData.files]
      .filter((file) => file.type.startsWith("image/"))
      .forEach((file) => transfer.items.add(file));
    if (transfer.files.length) upload(transfer.files, location.pathname, Date.now() + UPLOADER_WAIT_MS);
  });
  document.addEventListener("click", (event) => {
    const card = event.target.closest('[class*="st-key-clickable-"]');
    if (card && event.target.tagName === "IMG") card.querySelector(".stButton button").click();
  });
}
