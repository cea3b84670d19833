@echo off
rem The one door to everything, for Windows: builds the tool and the local host when their sources have changed, then runs the tool.
powershell -NoLogo -NoProfile -ExecutionPolicy Bypass -File "%~dp0eng\fed.ps1" %*
exit /b %ERRORLEVEL%
