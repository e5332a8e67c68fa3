// The pages below es/ are in Spanish, which readers aloud and translators want to know.
if (location.pathname.includes("/es/")) document.documentElement.lang = "es"
