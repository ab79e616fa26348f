"""A trained trial leaves the suite: conversion, sessions, export folders, agreement, measurement, recommendation."""
