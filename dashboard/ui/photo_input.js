// Features that Streamlit's widgets lack: pasting a photo, and clicks on the picture above a button.
if (!window.ferscopePhotoInput) {
  window.ferscopePhotoInput = true;
  document.addEventListener("paste", (event) => {
    const input = document.querySelector('[data-testid="stFileUploader"] input[type="file"]');
    const pictures = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (!input || pictures.length === 0) return;
    const transfer = new DataTransfer();
    pictures.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("click", (event) => {
    const card = event.target.closest('[class*="st-key-clickable-"]');
    if (card && event.target.tagName === "IMG") card.querySelector(".stButton button").click();
  });
}
