// Shows the description of the API; "Authorize" signs in with an email address and a password.

// Light or dark as the system has it, unless something else was chosen for the dashboard.
const dark = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => {
  const chosen = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : dark.matches);
};
dark.addEventListener("change", applyTheme);
applyTheme();

// The path of an operation stands within the button that unfolds it, where no link may be; the hash of the address
// is set by unfolding.
const plainPaths = ({ React }) => ({ components: { DeepLink: ({ text }) => React.createElement("span", null, text) } });

window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  plugins: [plainPaths],
  onComplete: () => document.getElementById("servers")?.setAttribute("aria-label", "Server"),
});
